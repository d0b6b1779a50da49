// out[r, j] = sum_k x[r, k] w[j, k], added to what out holds if accumulate
//
// For many rows on hardware. A workgroup computes 64 rows by 64 outputs from tiles in workgroup memory, an invocation 8 rows
// by 4 outputs; vectors run along k, so that loads from either operand are contiguous. Put together with one of weights/ and
// one of operands/x_*, and operands/product.wgsl.

const TILE: u32 = 64u;
const LANES: u32 = 128u;
// Vectors along k in a tile.
override DEPTH: u32 = 4u;
// One more than TILE: invocations that fill neighbouring depths would otherwise write to the same memory bank.
const STRIDE: u32 = 65u;

var<workgroup> x_tile: array<vec4<f32>, DEPTH * STRIDE>; // [DEPTH, STRIDE]: rows
var<workgroup> w_tile: array<vec4<f32>, DEPTH * STRIDE>; // [DEPTH, STRIDE]: outputs

@compute @workgroup_size(16, 8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let first_row = params.begin + group.y * TILE;
    let first_output = group.x * TILE;
    // acc[output][half]: four rows each. Named one by one, so that they stay in registers.
    var acc00 = vec4<f32>();
    var acc01 = vec4<f32>();
    var acc10 = vec4<f32>();
    var acc11 = vec4<f32>();
    var acc20 = vec4<f32>();
    var acc21 = vec4<f32>();
    var acc30 = vec4<f32>();
    var acc31 = vec4<f32>();
    for (var k0 = 0u; k0 < params.quads; k0 += DEPTH) {
        for (var i = lane; i < TILE * DEPTH; i += LANES) {
            let depth = i % DEPTH;
            let across = i / DEPTH;
            let quad = k0 + depth;
            let at = depth * STRIDE + across;
            var row_values = vec4<f32>();
            if (quad < params.quads && first_row + across < params.end) {
                row_values = x4(first_row + across, quad);
            }
            x_tile[at] = row_values;
            var output_values = vec4<f32>();
            if (quad < params.quads && first_output + across < params.outputs) {
                output_values = weight4(params.first_output + first_output + across, quad);
            }
            w_tile[at] = output_values;
        }
        workgroupBarrier();
        for (var depth = 0u; depth < DEPTH; depth++) {
            let x_at = depth * STRIDE + 8u * local.y;
            let w_at = depth * STRIDE + local.x;
            let low = transpose(mat4x4<f32>(x_tile[x_at], x_tile[x_at + 1u], x_tile[x_at + 2u], x_tile[x_at + 3u]));
            let high = transpose(mat4x4<f32>(x_tile[x_at + 4u], x_tile[x_at + 5u], x_tile[x_at + 6u], x_tile[x_at + 7u]));
            let w0 = w_tile[w_at];
            acc00 = multiply(acc00, low, w0);
            acc01 = multiply(acc01, high, w0);
            let w1 = w_tile[w_at + 16u];
            acc10 = multiply(acc10, low, w1);
            acc11 = multiply(acc11, high, w1);
            let w2 = w_tile[w_at + 32u];
            acc20 = multiply(acc20, low, w2);
            acc21 = multiply(acc21, high, w2);
            let w3 = w_tile[w_at + 48u];
            acc30 = multiply(acc30, low, w3);
            acc31 = multiply(acc31, high, w3);
        }
        workgroupBarrier();
    }
    let row = first_row + 8u * local.y;
    let output = first_output + local.x;
    store_rows(row, output, acc00);
    store_rows(row + 4u, output, acc01);
    store_rows(row, output + 16u, acc10);
    store_rows(row + 4u, output + 16u, acc11);
    store_rows(row, output + 32u, acc20);
    store_rows(row + 4u, output + 32u, acc21);
    store_rows(row, output + 48u, acc30);
    store_rows(row + 4u, output + 48u, acc31);
}
