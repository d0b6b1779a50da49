// halves(word) = the two f16 of a word as f32, every one exactly: sign s, exponent e and mantissa m by integers, as
//     (-1)^s 2^(e - 15) (1 + m / 1024), or (-1)^s 2^-24 m below the smallest normal f16, where e = 0.
// For devices whose own conversion takes those for zero.

fn halves(word: u32) -> vec2<f32> {
    let both = vec2<u32>(word & 0xffffu, word >> 16u);
    let magnitude = both & vec2<u32>(0x7fffu);
    // The same exponent in f32 counts from 127, not 15; no smallest normal f16 is below the smallest normal f32.
    let normal = bitcast<vec2<f32>>((magnitude << vec2<u32>(13u)) + vec2<u32>(112u << 23u));
    let small = vec2<f32>(magnitude) * 5.9604644775390625e-8;
    let value = select(normal, small, magnitude < vec2<u32>(0x400u));
    return select(value, -value, (both & vec2<u32>(0x8000u)) != vec2<u32>(0u));
}
