// Q8_0 weights: w = d q, with a scale d to every 32 signed bytes q.
// A row: 8 words of quants a block, then the scales, two f16 to a word.

@group(0) @binding(1) var<storage, read> weights: array<u32>; // [rows, params.row_stride]

fn weight4(row: u32, quad: u32) -> vec4<f32> {
    let base = row * params.row_stride;
    let block = quad >> 3u;
    let scales = halves(weights[base + params.quads + (block >> 1u)]);
    let d = select(scales.x, scales.y, (block & 1u) == 1u);
    let bytes = bitcast<vec4<i32>>(vec4<u32>(weights[base + quad]) << vec4<u32>(24u, 16u, 8u, 0u));
    return d * vec4<f32>(bytes >> vec4<u32>(24u));
}
