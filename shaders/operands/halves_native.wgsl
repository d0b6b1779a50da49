// halves(word) = the two f16 of a word as f32, by the device's own conversion, which may take those below the smallest normal
// f16 for zero.

fn halves(word: u32) -> vec2<f32> {
    return unpack2x16float(word);
}
