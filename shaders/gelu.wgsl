// x[i] = x[i] (1 + tanh(u)) / 2 = x[i] / (1 + exp(-2 u)),  u = sqrt(2 / pi) (x[i] + 0.044715 x[i]^3)        (Hendrycks and Gimpel 2016)
//
// In place. One invocation for each element.

struct Params {
    begin: u32, // first element of this dispatch
    end: u32,   // one past the last
}

override LANES: u32 = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> x: array<f32>; // [words]

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = params.begin + (group.y * groups.x + group.x) * LANES + lane;
    if (i >= params.end) {
        return;
    }
    let value = x[i];
    // Far out, where it is x or 0 to the last bit, neither the cube nor the exponential may overflow.
    let near = clamp(value, -10.0, 10.0);
    let u = clamp(0.7978846 * near * fma(0.044715 * near, near, 1.0), -15.0, 15.0);
    x[i] = value / (1.0 + exp(-2.0 * u));
}
