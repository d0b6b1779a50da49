// x[i] = x[i] + addend[i % period]
//
// In place. One invocation for each element.

struct Params {
    begin: u32,  // first element of this dispatch
    end: u32,    // one past the last
    period: u32, // length of the addend
}

override LANES: u32 = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> x: array<f32>; // [words]
@group(0) @binding(2) var<storage, read> addend: array<f32>; // [period]

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = params.begin + (group.y * groups.x + group.x) * LANES + lane;
    if (i >= params.end) {
        return;
    }
    x[i] += addend[i % params.period];
}
