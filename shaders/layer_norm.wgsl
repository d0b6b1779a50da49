// out[r, c] = (x[r, c] - m) / sqrt(v + eps) * gain[c] + bias[c],  m = mean_c(x[r, c]),  v = mean_c((x[r, c] - m)^2)        (Ba et al. 2016)
//
// One workgroup for each row. The variance is that of the centred values: a difference of mean squares would lose it where
// the mean is large.

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
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [cols]
@group(0) @binding(4) var<storage, read_write> out: array<f32>; // [rows, cols]

var<workgroup> sums: array<f32, LANES>;

fn total(lane: u32, value: f32) -> f32 {
    sums[lane] = value;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if (lane < half) {
            sums[lane] += sums[lane + half];
        }
        workgroupBarrier();
    }
    let result = sums[0];
    workgroupBarrier();
    return result;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = params.begin + group.y * groups.x + group.x;
    if (row >= params.end) {
        return;
    }
    let base = row * params.cols;
    var sum = 0.0;
    for (var c = lane; c < params.cols; c += LANES) {
        sum += x[base + c];
    }
    let mean = total(lane, sum) / f32(params.cols);
    var squares = 0.0;
    for (var c = lane; c < params.cols; c += LANES) {
        let centred = x[base + c] - mean;
        squares = fma(centred, centred, squares);
    }
    let scale = 1.0 / sqrt(total(lane, squares) / f32(params.cols) + params.eps);
    for (var c = lane; c < params.cols; c += LANES) {
        out[base + c] = fma((x[base + c] - mean) * scale, gain[c], bias[c]);
    }
}
