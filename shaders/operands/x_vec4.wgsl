// The left operand of a product whose columns are a multiple of 4: x[row, 4 quad + i].

@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>; // [rows, params.quads]

fn x4(row: u32, quad: u32) -> vec4<f32> {
    return x[row * params.quads + quad];
}
