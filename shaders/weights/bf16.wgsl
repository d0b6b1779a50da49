// BF16 weights: two upper halves of f32 to a word, so a vector of four elements is two words.

@group(0) @binding(1) var<storage, read> weights: array<vec2<u32>>; // [rows, params.row_stride]

fn weight4(row: u32, quad: u32) -> vec4<f32> {
    let pair = weights[row * params.row_stride + quad];
    return bitcast<vec4<f32>>(vec4<u32>(pair.x << 16u, pair.x & 0xffff0000u, pair.y << 16u, pair.y & 0xffff0000u));
}
