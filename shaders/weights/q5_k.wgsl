// Q5_K weights: w = d s q - d_min m, with d and d_min to every 256 five-bit q, s and m to every 32.
// A block is 44 words: d and d_min as f16; 12 bytes that pack s and m of 8 groups, 6 bits each; 8 words of fifth bits, bit
// g of byte i belonging to element i of group g; the low bits, 8 words for each pair of groups, byte i holding element i
// of either.

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
    let block = row * params.row_stride + 44u * (quad >> 6u);
    let group = (quad >> 3u) & 7u;
    let scale = halves(weights[block]) * group_scale(block, group);
    let high = weights[block + 4u + (quad & 7u)] >> group;
    let nibbles = weights[block + 12u + 8u * (group >> 1u) + (quad & 7u)] >> (4u * (group & 1u));
    let low = (vec4<u32>(nibbles) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
    let fifth = ((vec4<u32>(high) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(1u)) << vec4<u32>(4u);
    return scale.x * vec4<f32>(low | fifth) - vec4<f32>(scale.y);
}
