// F16 weights: two halves to a word, so a vector of four elements is two words.

@group(0) @binding(1) var<storage, read> weights: array<vec2<u32>>; // [rows, params.row_stride]

fn weight4(row: u32, quad: u32) -> vec4<f32> {
    let pair = weights[row * params.row_stride + quad];
    return vec4<f32>(halves(pair.x), halves(pair.y));
}
