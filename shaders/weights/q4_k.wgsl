// Q4_K weights: w = d s q - d_min m, with d and d_min to every 256 four-bit q, s and m to every 32.
// A block is 36 words: d and d_min as f16; 12 bytes that pack s and m of 8 groups, 6 bits each; the quants, 8 words for
// each pair of groups, byte i holding element i of either.

@group(0) @binding(1) var<storage, read> weights: array<u32>; // [rows, params.row_stride]

// s and m of one of the block's groups.
fn group_scale(block: u32, group: u32) -> vec2<f32> {
    let shift = 8u * (group & 3u);
    let scales = weights[block + 1u] >> shift;
    let mins = weights[block + 2u] >> shift;
    let rest = weights[block + 3u] >> shift;
    let first = vec2<u32>(scales & 63u, mins & 63u);
    let last = vec2<u32>((rest & 15u) | ((scales >> 2u) & 48u), ((rest >> 4u) & 15u) | ((mins >> 2u) & 48u));
    return vec2<f32>(select(last, first, group < 4u));
}

fn weight4(row: u32, quad: u32) -> vec4<f32> {
    let block = row * params.row_stride + 36u * (quad >> 6u);
    let group = (quad >> 3u) & 7u;
    let scale = halves(weights[block]) * group_scale(block, group);
    let nibbles = weights[block + 4u + 8u * (group >> 1u) + (quad & 7u)] >> (4u * (group & 1u));
    return scale.x * vec4<f32>((vec4<u32>(nibbles) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u)) - vec4<f32>(scale.y);
}
