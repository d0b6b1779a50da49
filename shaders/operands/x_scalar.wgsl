// The left operand of a product with any number of columns: x[row, 4 quad + i], zero past the row's end.

@group(0) @binding(2) var<storage, read> x: array<f32>; // [rows, params.cols]

fn x4(row: u32, quad: u32) -> vec4<f32> {
    let base = row * params.cols;
    let last = params.cols - 1u;
    let column = vec4<u32>(4u * quad) + vec4<u32>(0u, 1u, 2u, 3u);
    let at = vec4<u32>(base) + min(column, vec4<u32>(last));
    return select(vec4<f32>(0.0), vec4<f32>(x[at.x], x[at.y], x[at.z], x[at.w]), column <= vec4<u32>(last));
}
