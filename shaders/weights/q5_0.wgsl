// Q5_0 weights: w = d (q - 16), with a scale d to every 32 five-bit q.
// A row: 5 words a block (fifth bits, element i in bit i; then the low bits, byte i holding elements i and i + 16);
// then the scales, two f16 to a word.

@group(0) @binding(1) var<storage, read> weights: array<u32>; // [rows, params.row_stride]

fn weight4(row: u32, quad: u32) -> vec4<f32> {
    let base = row * params.row_stride;
    let block = quad >> 3u;
    let scales = halves(weights[base + 5u * (params.quads >> 3u) + (block >> 1u)]);
    let d = select(scales.x, scales.y, (block & 1u) == 1u);
    let high = weights[base + 5u * block] >> (4u * (quad & 7u));
    let nibbles = weights[base + 5u * block + 1u + (quad & 3u)] >> (quad & 4u);
    let low = (vec4<u32>(nibbles) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
    let fifth = ((vec4<u32>(high) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u)) << vec4<u32>(4u);
    return d * (vec4<f32>(low | fifth) - vec4<f32>(16.0));
}
