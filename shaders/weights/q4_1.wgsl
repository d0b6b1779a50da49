// Q4_1 weights: w = d q + m, with a scale d and a minimum m to every 32 four-bit q.
// A block is 5 words: d and m as f16, then the quants, byte i holding elements i and i + 16.

@group(0) @binding(1) var<storage, read> weights: array<u32>; // [rows, params.row_stride]

fn weight4(row: u32, quad: u32) -> vec4<f32> {
    let block = row * params.row_stride + 5u * (quad >> 3u);
    let scale = halves(weights[block]);
    let nibbles = weights[block + 1u + (quad & 3u)] >> (quad & 4u);
    return scale.x * vec4<f32>((vec4<u32>(nibbles) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u)) + vec4<f32>(scale.y);
}
