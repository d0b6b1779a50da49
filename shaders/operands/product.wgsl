// out[r, j] = value, added to what out holds if accumulate
//
// What every kernel of a product has in common: its parameters, its output and how results go there.

struct Params {
    begin: u32,        // first row of this dispatch
    end: u32,          // one past the last
    quads: u32,        // vectors of four along k
    cols: u32,         // k
    row_stride: u32,   // elements of the weights' array in a row
    first_output: u32, // the shard's row that gives this dispatch's first output
    outputs: u32,      // how many outputs this dispatch computes
    out_stride: u32,   // outputs in a row of out
    out_column: u32,   // where in it this dispatch's first output goes
    accumulate: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> out: array<f32>; // [rows, out_stride]

// acc + rows w: what four values along k add to one output of four rows; `rows` is [k, row].
fn multiply(acc: vec4<f32>, rows: mat4x4<f32>, w: vec4<f32>) -> vec4<f32> {
    return fma(rows[0], vec4<f32>(w.x), fma(rows[1], vec4<f32>(w.y), fma(rows[2], vec4<f32>(w.z), fma(rows[3], vec4<f32>(w.w), acc))));
}

fn store(row: u32, output: u32, value: f32) {
    if (row < params.end && output < params.outputs) {
        let at = row * params.out_stride + params.out_column + output;
        out[at] = select(value, out[at] + value, params.accumulate == 1u);
    }
}

// One output of four rows.
fn store_rows(row: u32, output: u32, values: vec4<f32>) {
    store(row, output, values.x);
    store(row + 1u, output, values.y);
    store(row + 2u, output, values.z);
    store(row + 3u, output, values.w);
}
