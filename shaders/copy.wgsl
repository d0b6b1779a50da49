// to[to_word + i] = source[from_word + i]
//
// Whatever the words mean. One invocation for each word.

struct Params {
    begin: u32, // first i of this dispatch
    end: u32,   // one past the last
    from_word: u32,
    to_word: u32,
}

override LANES: u32 = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<u32>; // [from_word + words]
@group(0) @binding(2) var<storage, read_write> to: array<u32>; // [to_word + words]

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = params.begin + (group.y * groups.x + group.x) * LANES + lane;
    if (i >= params.end) {
        return;
    }
    to[params.to_word + i] = source[params.from_word + i];
}
