// out[r, h] = sum_j softmax_j(s_j) v_j,   s_j = scale q[r, h] . k_j, changed by the factor f_j of key j:
//     0 log-additive    s + ln max(f, 1e-30)
//     1 multiplicative  s f
//     2 shifted         (s - m) f,  m the least s of the keys that the row sees
//     3 shifted-full    (s - m) f,  m the least s of all keys of its sequence, future ones too
// over the keys j = 0 ..= position of the row's own sequence: those below `cached` from the cache, the others from the batch.
//
// A workgroup computes one row for up to four query heads that share a key-value head, so that every key and value loaded
// serves all of them: a vec4 of scores or weights holds one component for each head. It walks over spans of keys, with the
// softmax's maximum and sum carried along (Milakov and Gimelshein 2018): first an invocation for every four keys, so that what
// is loaded of q serves them all, then an invocation for every four features. Put together with one of operands/heads_*.

struct Params {
    begin: u32,      // first row of this dispatch
    end: u32,        // one past the last
    layer: u32,      // for the layer ranges in the table
    n_heads: u32,
    n_kv_heads: u32,
    head_dim: u32,
    quads: u32,      // vectors of four features in a head, the last one perhaps partly filled
    parts: u32,      // workgroups that share a row and a key-value head
    scale: f32,
}

const MAX_QUADS: u32 = 64u;
const NO_FACTORS: u32 = 0xffffffffu;
// Below any score, and finite.
const LOWEST: f32 = -1e30;

// Query heads of a workgroup, 1 to 4.
override HEADS: u32 = 4u;
// Invocations of a workgroup: a power of two, at least the quads of a head.
override LANES: u32 = 64u;
// Whether any key may come from the cache.
override CACHED: bool = true;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(6) var<storage, read> table: array<vec4<u32>>; // [n_rows, 2]: cached, first_row, position, n_positions; factors, operator, layer_begin, layer_end
@group(0) @binding(7) var<storage, read> factors: array<f32>; // key factors of all sequences
@group(0) @binding(8) var<storage, read_write> out: array<f32>; // [n_rows, n_heads, head_dim]

var<workgroup> heads: array<vec4<f32>, MAX_QUADS * 4u>; // [quads, 4 heads]: four features of q
var<workgroup> weights: array<vec4<f32>, LANES * 4u>; // [keys of a span]: scores, then weights
var<workgroup> lanes: array<vec4<f32>, LANES>; // one value of each invocation, for reductions
var<workgroup> partial: array<mat4x4<f32>, LANES>; // [slices, quads]: sums over a slice's keys, for each head

fn least(lane: u32, value: vec4<f32>) -> vec4<f32> {
    lanes[lane] = value;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if (lane < half) {
            lanes[lane] = min(lanes[lane], lanes[lane + half]);
        }
        workgroupBarrier();
    }
    let result = lanes[0];
    workgroupBarrier();
    return result;
}

fn total(lane: u32, value: vec4<f32>) -> vec4<f32> {
    lanes[lane] = value;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if (lane < half) {
            lanes[lane] += lanes[lane + half];
        }
        workgroupBarrier();
    }
    let result = lanes[0];
    workgroupBarrier();
    return result;
}

// Four features of q in each head, as the matrix that takes four features of a key to what they add to its scores.
fn queries(quad: u32) -> mat4x4<f32> {
    var q_heads = mat4x4<f32>();
    q_heads[0] = heads[4u * quad];
    if (HEADS > 1u) {
        q_heads[1] = heads[4u * quad + 1u];
    }
    if (HEADS > 2u) {
        q_heads[2] = heads[4u * quad + 2u];
    }
    if (HEADS > 3u) {
        q_heads[3] = heads[4u * quad + 3u];
    }
    return transpose(q_heads);
}

// `source` is the row's cached, first_row, ..
fn key4(key: u32, kv_head: u32, source: vec4<u32>, quad: u32) -> vec4<f32> {
    if (CACHED && key < source.x) {
        return cache_k4(key * params.n_kv_heads + kv_head, quad);
    }
    return k4((source.y + key - source.x) * params.n_kv_heads + kv_head, quad);
}

fn value4(key: u32, kv_head: u32, source: vec4<u32>, quad: u32) -> vec4<f32> {
    if (CACHED && key < source.x) {
        return cache_v4(key * params.n_kv_heads + kv_head, quad);
    }
    return v4((source.y + key - source.x) * params.n_kv_heads + kv_head, quad);
}

// scale q . k of one key for each head.
fn raw_scores(key: u32, kv_head: u32, source: vec4<u32>) -> vec4<f32> {
    var sum = vec4<f32>();
    for (var quad = 0u; quad < params.quads; quad++) {
        sum += queries(quad) * key4(key, kv_head, source, quad);
    }
    return params.scale * sum;
}

// The same of four keys at once.
fn raw_scores_of_four(keys: vec4<u32>, kv_head: u32, source: vec4<u32>) -> mat4x4<f32> {
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    for (var quad = 0u; quad < params.quads; quad++) {
        let q_heads = queries(quad);
        sum0 += q_heads * key4(keys.x, kv_head, source, quad);
        sum1 += q_heads * key4(keys.y, kv_head, source, quad);
        sum2 += q_heads * key4(keys.z, kv_head, source, quad);
        sum3 += q_heads * key4(keys.w, kv_head, source, quad);
    }
    return params.scale * mat4x4<f32>(sum0, sum1, sum2, sum3);
}

// The operator's effect; `rule` is the row's factors, operator, ..
fn apply_factor(scores: vec4<f32>, key: u32, rule: vec4<u32>, low: vec4<f32>) -> vec4<f32> {
    let f = factors[rule.x + key];
    if (rule.y == 0u) {
        return scores + vec4<f32>(log(max(f, 1e-30)));
    }
    return (scores - low) * f;
}

fn head_out(row: u32, head: u32, quad: u32, values: vec4<f32>) {
    let feature = 4u * quad;
    let base = (row * params.n_heads + head) * params.head_dim + feature;
    out[base] = values.x;
    if (feature + 1u < params.head_dim) {
        out[base + 1u] = values.y;
    }
    if (feature + 2u < params.head_dim) {
        out[base + 2u] = values.z;
    }
    if (feature + 3u < params.head_dim) {
        out[base + 3u] = values.w;
    }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = params.begin + group.y;
    if (row >= params.end) {
        return;
    }
    let group_heads = params.n_heads / params.n_kv_heads;
    let kv_head = group.x / params.parts;
    let first_in_group = (group.x % params.parts) * HEADS;
    let first_head = kv_head * group_heads + first_in_group;
    let live_heads = min(HEADS, group_heads - first_in_group);
    let source = table[2u * row];
    let rule = table[2u * row + 1u];
    let n_keys = source.z + 1u;
    let factored = rule.x != NO_FACTORS && rule.z <= params.layer && params.layer < rule.w;

    for (var quad = lane; quad < params.quads; quad += LANES) {
        let vector = row * params.n_heads + first_head;
        for (var head = 0u; head < HEADS; head++) {
            // A part with fewer heads than the others computes its last one again.
            heads[4u * quad + head] = q4(vector + min(head, live_heads - 1u), quad);
        }
    }
    workgroupBarrier();

    var low = vec4<f32>();
    if (factored && rule.y >= 2u) {
        let n_seen = select(n_keys, source.w, rule.y == 3u);
        var own = vec4<f32>(-LOWEST);
        for (var key = lane; key < n_seen; key += LANES) {
            own = min(own, raw_scores(key, kv_head, source));
        }
        low = least(lane, own);
    }

    // In the second half of a span's work an invocation adds up one quad of features over every slices-th key.
    let slices = LANES / params.quads;
    let quad = lane % params.quads;
    let slice = lane / params.quads;
    var peak = vec4<f32>(LOWEST);
    var sum = vec4<f32>();
    var head0 = vec4<f32>();
    var head1 = vec4<f32>();
    var head2 = vec4<f32>();
    var head3 = vec4<f32>();
    for (var first = 0u; first < n_keys; first += 4u * LANES) {
        let n_span = min(4u * LANES, n_keys - first);
        if (n_span > LANES) {
            let keys = vec4<u32>(lane) + LANES * vec4<u32>(0u, 1u, 2u, 3u);
            let scores = raw_scores_of_four(vec4<u32>(first) + min(keys, vec4<u32>(n_span - 1u)), kv_head, source);
            weights[keys.x] = scores[0];
            weights[keys.y] = scores[1];
            weights[keys.z] = scores[2];
            weights[keys.w] = scores[3];
        } else if (lane < n_span) {
            weights[lane] = raw_scores(first + lane, kv_head, source);
        }
        var own = peak;
        for (var i = lane; i < n_span; i += LANES) {
            if (factored) {
                weights[i] = apply_factor(weights[i], first + i, rule, low);
            }
            own = max(own, weights[i]);
        }
        let next_peak = -least(lane, -own);
        let shrink = exp(peak - next_peak);
        sum *= shrink;
        for (var i = lane; i < n_span; i += LANES) {
            let weight = exp(weights[i] - next_peak);
            weights[i] = weight;
            sum += weight;
        }
        workgroupBarrier();
        head0 *= shrink.x;
        head1 *= shrink.y;
        head2 *= shrink.z;
        head3 *= shrink.w;
        if (slice < slices) {
            for (var i = slice; i < n_span; i += slices) {
                let features = value4(first + i, kv_head, source, quad);
                let weight = weights[i];
                head0 = fma(vec4<f32>(weight.x), features, head0);
                if (HEADS > 1u) {
                    head1 = fma(vec4<f32>(weight.y), features, head1);
                }
                if (HEADS > 2u) {
                    head2 = fma(vec4<f32>(weight.z), features, head2);
                }
                if (HEADS > 3u) {
                    head3 = fma(vec4<f32>(weight.w), features, head3);
                }
            }
        }
        workgroupBarrier();
        peak = next_peak;
    }
    // The key with the highest score has weight 1, so no sum is below it.
    let norm = vec4<f32>(1.0) / total(lane, sum);
    partial[lane] = mat4x4<f32>(head0, head1, head2, head3);
    workgroupBarrier();
    if (slice == 0u) {
        var features = partial[lane];
        for (var s = 1u; s < slices; s++) {
            features += partial[s * params.quads + quad];
        }
        head_out(row, first_head, quad, features[0] * norm.x);
        if (live_heads > 1u) {
            head_out(row, first_head + 1u, quad, features[1] * norm.y);
        }
        if (live_heads > 2u) {
            head_out(row, first_head + 2u, quad, features[2] * norm.z);
        }
        if (live_heads > 3u) {
            head_out(row, first_head + 3u, quad, features[3] * norm.w);
        }
    }
}
