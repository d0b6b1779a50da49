// Q4_0 weights: w = d (q - 8), with a scale d to every 32 four-bit q.
// A row: 4 words of quants a block, byte i holding elements i and i + 16; then the scales, two f16 to a word.

@group(0) @binding(1) var<storage, read> weights: array<u32>; // [rows, params.row_stride]

fn weight4(row: u32, quad: u32) -> vec4<f32> {
    let base = row * params.row_stride;
    let block = quad >> 3u;
    let scales = halves(weights[base + (params.quads >> 1u) + (block >> 1u)]);
    let d = select(scales.x, scales.y, (block & 1u) == 1u);
    let nibbles = weights[base + 4u * block + (quad & 3u)] >> (quad & 4u);
    return d * (vec4<f32>((vec4<u32>(nibbles) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u)) - vec4<f32>(8.0));
}
