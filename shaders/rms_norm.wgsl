// out[r, c] = x[r, c] / sqrt(mean_c(x[r, c]^2) + eps) * gain[c]        (Zhang and Sennrich 2019)
//
// One workgroup for each row.

struct Params {
    begin: u32, // first row of this dispatch
    end: u32,   // one past the last
    cols: u32,
    eps: f32,
}

override LANES: u32 = 64u; // a power of two

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [rows, cols]
@group(0) @binding(2) var<storage, read> gain: array<f32>; // [cols]
@group(0) @binding(3) var<storage, read_write> out: array<f32>; // [rows, cols]

var<workgroup> sums: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = params.begin + group.y * groups.x + group.x;
    if (row >= params.end) {
        return;
    }
    let base = row * params.cols;
    var sum = 0.0;
    for (var c = lane; c < params.cols; c += LANES) {
        let value = x[base + c];
        sum = fma(value, value, sum);
    }
    sums[lane] = sum;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if (lane < half) {
            sums[lane] += sums[lane + half];
        }
        workgroupBarrier();
    }
    let scale = 1.0 / sqrt(sums[0] / f32(params.cols) + params.eps);
    for (var c = lane; c < params.cols; c += LANES) {
        out[base + c] = x[base + c] * scale * gain[c];
    }
}
