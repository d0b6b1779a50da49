// gate[i] = gate[i] / (1 + exp(-gate[i])) * up[i]        (Shazeer 2020)
//
// In place. One invocation for each element.

struct Params {
    begin: u32, // first element of this dispatch
    end: u32,   // one past the last
}

override LANES: u32 = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> gate: array<f32>; // [words]
@group(0) @binding(2) var<storage, read> up: array<f32>; // [words]

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = params.begin + (group.y * groups.x + group.x) * LANES + lane;
    if (i >= params.end) {
        return;
    }
    let g = gate[i];
    // Below -80 the quotient is under 1e-33 of g; beyond -88 the exponential would overflow.
    gate[i] = g / (1.0 + exp(-max(g, -80.0))) * up[i];
}
