// out[r, c] = table[ids[r], c]
//
// For those rows whose id this shard of the table holds; the others stay as they are. One invocation for each four columns.
// Put together with one of weights/.

struct Params {
    begin: u32,       // first (row, quad) pair of this dispatch
    end: u32,         // one past the last
    quads: u32,       // vectors of four columns in a row, the last one perhaps partly filled
    cols: u32,
    row_stride: u32,  // elements of the weights' array in a row
    first_entry: u32, // the id of the shard's first row
    entries: u32,     // rows in the shard
}

override LANES: u32 = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> ids: array<u32>; // [rows]
@group(0) @binding(3) var<storage, read_write> out: array<f32>; // [rows, cols]

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = params.begin + (group.y * groups.x + group.x) * LANES + lane;
    if (at >= params.end) {
        return;
    }
    let row = at / params.quads;
    let quad = at % params.quads;
    let id = ids[row];
    if (id < params.first_entry || id - params.first_entry >= params.entries) {
        return;
    }
    let value = weight4(id - params.first_entry, quad);
    let column = 4u * quad;
    let base = row * params.cols + column;
    out[base] = value.x;
    if (column + 1u < params.cols) {
        out[base + 1u] = value.y;
    }
    if (column + 2u < params.cols) {
        out[base + 2u] = value.z;
    }
    if (column + 3u < params.cols) {
        out[base + 3u] = value.w;
    }
}
