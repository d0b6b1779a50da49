// out[r, c] = source[index[r], c]
//
// Whatever the words mean. One invocation for each word of out.

struct Params {
    begin: u32, // first (row, column) of this dispatch
    end: u32,   // one past the last
    cols: u32,
}

override LANES: u32 = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<u32>; // [.., cols]
@group(0) @binding(2) var<storage, read> index: array<u32>; // [rows]
@group(0) @binding(3) var<storage, read_write> out: array<u32>; // [rows, cols]

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = params.begin + (group.y * groups.x + group.x) * LANES + lane;
    if (at >= params.end) {
        return;
    }
    out[at] = source[index[at / params.cols] * params.cols + at % params.cols];
}
