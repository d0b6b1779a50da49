// F32 weights: w[row, 4 quad + i] is element i of the row's quad-th vector.

@group(0) @binding(1) var<storage, read> weights: array<vec4<f32>>; // [rows, params.row_stride]

fn weight4(row: u32, quad: u32) -> vec4<f32> {
    return weights[row * params.row_stride + quad];
}
