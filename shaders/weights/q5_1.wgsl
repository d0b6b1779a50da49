// Q5_1 weights: w = d q + m, with a scale d and a minimum m to every 32 five-bit q.
// A block is 6 words: d and m as f16; fifth bits, element i in bit i; the low bits, byte i holding elements i and i + 16.

@group(0) @binding(1) var<storage, read> weights: array<u32>; // [rows, params.row_stride]

fn weight4(row: u32, quad: u32) -> vec4<f32> {
    let block = row * params.row_stride + 6u * (quad >> 3u);
    let scale = halves(weights[block]);
    let high = weights[block + 1u] >> (4u * (quad & 7u));
    let nibbles = weights[block + 2u + (quad & 3u)] >> (quad & 4u);
    let low = (vec4<u32>(nibbles) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
    let fifth = ((vec4<u32>(high) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u)) << vec4<u32>(4u);
    return scale.x * vec4<f32>(low | fifth) + vec4<f32>(scale.y);
}
