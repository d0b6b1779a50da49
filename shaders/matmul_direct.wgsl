// out[r, j] = sum_k x[r, k] w[j, k], added to what out holds if accumulate
//
// For many rows on software adapters, where every load costs dozens of multiply-adds wherever it comes from: an invocation
// computes 8 rows by 8 outputs straight from the operands. Put together with one of weights/ and one of operands/x_*, and operands/product.wgsl.

override LANES_X: u32 = 8u;
override LANES_Y: u32 = 4u;

@compute @workgroup_size(LANES_X, LANES_Y)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = params.begin + 8u * id.y;
    let output = 8u * id.x;
    if (row >= params.end || output >= params.outputs) {
        return;
    }
    // Past the end the last row and output are computed again and not stored.
    let last_row = vec4<u32>(params.end - 1u);
    let last_output = vec4<u32>(params.outputs - 1u);
    let steps = vec4<u32>(0u, 1u, 2u, 3u);
    let low_rows = min(vec4<u32>(row) + steps, last_row);
    let high_rows = min(vec4<u32>(row + 4u) + steps, last_row);
    let low_outputs = vec4<u32>(params.first_output) + min(vec4<u32>(output) + steps, last_output);
    let high_outputs = vec4<u32>(params.first_output) + min(vec4<u32>(output + 4u) + steps, last_output);
    // acc[output][half]: four rows each. Named one by one, so that they stay in registers.
    var acc00 = vec4<f32>();
    var acc01 = vec4<f32>();
    var acc10 = vec4<f32>();
    var acc11 = vec4<f32>();
    var acc20 = vec4<f32>();
    var acc21 = vec4<f32>();
    var acc30 = vec4<f32>();
    var acc31 = vec4<f32>();
    var acc40 = vec4<f32>();
    var acc41 = vec4<f32>();
    var acc50 = vec4<f32>();
    var acc51 = vec4<f32>();
    var acc60 = vec4<f32>();
    var acc61 = vec4<f32>();
    var acc70 = vec4<f32>();
    var acc71 = vec4<f32>();
    for (var quad = 0u; quad < params.quads; quad++) {
        let low = transpose(mat4x4<f32>(x4(low_rows.x, quad), x4(low_rows.y, quad), x4(low_rows.z, quad), x4(low_rows.w, quad)));
        let high = transpose(mat4x4<f32>(x4(high_rows.x, quad), x4(high_rows.y, quad), x4(high_rows.z, quad), x4(high_rows.w, quad)));
        let w0 = weight4(low_outputs.x, quad);
        acc00 = multiply(acc00, low, w0);
        acc01 = multiply(acc01, high, w0);
        let w1 = weight4(low_outputs.y, quad);
        acc10 = multiply(acc10, low, w1);
        acc11 = multiply(acc11, high, w1);
        let w2 = weight4(low_outputs.z, quad);
        acc20 = multiply(acc20, low, w2);
        acc21 = multiply(acc21, high, w2);
        let w3 = weight4(low_outputs.w, quad);
        acc30 = multiply(acc30, low, w3);
        acc31 = multiply(acc31, high, w3);
        let w4 = weight4(high_outputs.x, quad);
        acc40 = multiply(acc40, low, w4);
        acc41 = multiply(acc41, high, w4);
        let w5 = weight4(high_outputs.y, quad);
        acc50 = multiply(acc50, low, w5);
        acc51 = multiply(acc51, high, w5);
        let w6 = weight4(high_outputs.z, quad);
        acc60 = multiply(acc60, low, w6);
        acc61 = multiply(acc61, high, w6);
        let w7 = weight4(high_outputs.w, quad);
        acc70 = multiply(acc70, low, w7);
        acc71 = multiply(acc71, high, w7);
    }
    store_rows(row, output, acc00);
    store_rows(row + 4u, output, acc01);
    store_rows(row, output + 1u, acc10);
    store_rows(row + 4u, output + 1u, acc11);
    store_rows(row, output + 2u, acc20);
    store_rows(row + 4u, output + 2u, acc21);
    store_rows(row, output + 3u, acc30);
    store_rows(row + 4u, output + 3u, acc31);
    store_rows(row, output + 4u, acc40);
    store_rows(row + 4u, output + 4u, acc41);
    store_rows(row, output + 5u, acc50);
    store_rows(row + 4u, output + 5u, acc51);
    store_rows(row, output + 6u, acc60);
    store_rows(row + 4u, output + 6u, acc61);
    store_rows(row, output + 7u, acc70);
    store_rows(row + 4u, output + 7u, acc71);
}
