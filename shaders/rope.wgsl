// (x[r, i], x[r, i + h]) = (a cos - b sin, b cos + a sin) of a = x[r, i], b = x[r, i + h], for i < h = head_dim / 2
//                                                                (Su et al. 2021, in the layout of GPT-NeoX)
//
// In place. One invocation for each pair.

struct Params {
    begin: u32, // first (row, head, i) of this dispatch
    end: u32,   // one past the last
    heads: u32,
    pairs: u32, // h
}

override LANES: u32 = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> x: array<f32>; // [rows, heads, 2, pairs]
@group(0) @binding(2) var<storage, read> angles: array<f32>; // [rows, 2, pairs]: cosines, then sines

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = params.begin + (group.y * groups.x + group.x) * LANES + lane;
    if (at >= params.end) {
        return;
    }
    let i = at % params.pairs;
    let vector = at / params.pairs;
    let row = vector / params.heads;
    let c = angles[2u * row * params.pairs + i];
    let s = angles[(2u * row + 1u) * params.pairs + i];
    let first = 2u * vector * params.pairs + i;
    let a = x[first];
    let b = x[first + params.pairs];
    x[first] = a * c - b * s;
    x[first + params.pairs] = b * c + a * s;
}
