// state[r] = (m, sum_c exp(x_c - m)), m = max_c x_c, over the columns of this piece, joined with what state holds
//
// One workgroup for each row; each invocation keeps a running pair, and pairs are joined as
// (m, s) + (m', s') = (n, s exp(m - n) + s' exp(m' - n)), n = max(m, m').

struct Params {
    begin: u32, // first row of this dispatch
    end: u32,   // one past the last
    cols: u32,
    first: u32, // 1: state holds nothing yet
}

// Stands for the maximum of no columns: below any logit, and finite.
const LOWEST: f32 = -1e30;

override LANES: u32 = 64u; // a power of two

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>; // [rows, cols]
@group(0) @binding(2) var<storage, read_write> state: array<f32>; // [rows, 2]

var<workgroup> pairs: array<vec2<f32>, LANES>;

fn join(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    let peak = max(a.x, b.x);
    return vec2<f32>(peak, a.y * exp(a.x - peak) + b.y * exp(b.x - peak));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = params.begin + group.y * groups.x + group.x;
    if (row >= params.end) {
        return;
    }
    var pair = vec2<f32>(LOWEST, 0.0);
    for (var c = lane; c < params.cols; c += LANES) {
        let x = logits[row * params.cols + c];
        if (x > pair.x) {
            pair = vec2<f32>(x, fma(pair.y, exp(pair.x - x), 1.0));
        } else {
            pair.y += exp(x - pair.x);
        }
    }
    pairs[lane] = pair;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if (lane < half) {
            pairs[lane] = join(pairs[lane], pairs[lane + half]);
        }
        workgroupBarrier();
    }
    if (lane == 0u) {
        var total = pairs[0];
        if (params.first == 0u) {
            total = join(vec2<f32>(state[2u * row], state[2u * row + 1u]), total);
        }
        state[2u * row] = total.x;
        state[2u * row + 1u] = total.y;
    }
}
