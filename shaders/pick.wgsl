// out[i] = logits[row_i, token_i - first_col]
//
// For those wanted pairs whose token is one of this piece's columns; the others stay as they are. One invocation for each pair.

struct Params {
    begin: u32, // first pair of this dispatch
    end: u32,   // one past the last
    rows: u32,
    cols: u32,
    first_col: u32, // the token of the piece's first column
}

override LANES: u32 = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>; // [rows, cols]
@group(0) @binding(2) var<storage, read> wanted: array<u32>; // [n, 2]: row, token
@group(0) @binding(3) var<storage, read_write> out: array<f32>; // [n]

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = params.begin + (group.y * groups.x + group.x) * LANES + lane;
    if (i >= params.end) {
        return;
    }
    let row = wanted[2u * i];
    let token = wanted[2u * i + 1u];
    if (row < params.rows && token >= params.first_col && token - params.first_col < params.cols) {
        out[i] = logits[row * params.cols + token - params.first_col];
    }
}
