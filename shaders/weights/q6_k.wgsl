// Q6_K weights: w = d s (q - 32), with d to every 256 six-bit q and a signed byte s to every 16.
// A block is 53 words: low four bits, 16 words for each half of the block, byte i holding elements i and i + 64 of it;
// high two bits, 8 words for each half, byte i holding elements i, i + 32, i + 64 and i + 96 of it; 16 bytes s; d as f16.

@group(0) @binding(1) var<storage, read> weights: array<u32>; // [rows, params.row_stride]

fn weight4(row: u32, quad: u32) -> vec4<f32> {
    let block = row * params.row_stride + 53u * (quad >> 6u);
    let half = (quad >> 5u) & 1u;
    let quarter = (quad >> 3u) & 3u;
    let within = quad & 7u;
    let nibbles = weights[block + 16u * half + 8u * (quarter & 1u) + within] >> (4u * (quarter >> 1u));
    let pairs = weights[block + 32u + 8u * half + within] >> (2u * quarter);
    let low = (vec4<u32>(nibbles) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
    let high = ((vec4<u32>(pairs) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(3u)) << vec4<u32>(4u);
    let scales = weights[block + 48u + 2u * half + (quarter >> 1u)];
    let s = bitcast<i32>(scales << (24u - 8u * (2u * (quarter & 1u) + (within >> 2u)))) >> 24u;
    let d = halves(weights[block + 52u]).x;
    return d * f32(s) * (vec4<f32>(low | high) - vec4<f32>(32.0));
}
