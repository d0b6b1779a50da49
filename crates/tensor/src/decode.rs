//! Stored blocks to f32, one format after another.
//!
//! Layouts: the `block_*` structures of ggml (`ggml-common.h`), which define what GGUF files hold.

use crate::Format;
use crate::affine::{q4_0, q4_1, q5_0, q5_1, q8_0};
use half::bf16;

/// What was wrong with a call of [`decode`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes are not what that many elements take.
    #[error("{elements} elements of {format} take {} bytes, got {bytes}", .format.bytes_of(*.elements).map_or("no whole number of".to_owned(), |n| n.to_string()))]
    Length {
        /// The stored form.
        format: Format,
        /// How many elements were asked for.
        elements: usize,
        /// How many bytes were given.
        bytes: usize,
    },
}

/// Decodes `out.len()` elements, a whole number of blocks, from exactly their stored `bytes`.
pub fn decode(format: Format, bytes: &[u8], out: &mut [f32]) -> Result<(), DecodeError> {
    if format.bytes_of(out.len()) != Some(bytes.len()) {
        return Err(DecodeError::Length { format, elements: out.len(), bytes: bytes.len() });
    }
    decode_blocks(format, bytes, out);
    Ok(())
}

/// [`decode`] for lengths known to fit (others leave the rest of `out` as it was); inlined into callers that enable wider SIMD.
#[inline(always)]
pub fn decode_blocks(format: Format, bytes: &[u8], out: &mut [f32]) {
    match format {
        Format::F32 => each::<4, 1>(bytes, out, |b, o| o[0] = f32::from_le_bytes(*b)),
        Format::F16 => each::<2, 1>(bytes, out, |b, o| o[0] = f16_to_f32(u16::from_le_bytes(*b))),
        Format::Bf16 => each::<2, 1>(bytes, out, |b, o| o[0] = bf16::from_le_bytes(*b).to_f32()),
        Format::Q8_0 => each::<34, 32>(bytes, out, |b, o| q8_0(b).write(o)),
        Format::Q4_0 => each::<18, 32>(bytes, out, |b, o| q4_0(b).write(o)),
        Format::Q4_1 => each::<20, 32>(bytes, out, |b, o| q4_1(b).write(o)),
        Format::Q5_0 => each::<22, 32>(bytes, out, |b, o| q5_0(b).write(o)),
        Format::Q5_1 => each::<24, 32>(bytes, out, |b, o| q5_1(b).write(o)),
        Format::Q4K => each::<144, 256>(bytes, out, q4_k),
        Format::Q5K => each::<176, 256>(bytes, out, q5_k),
        Format::Q6K => each::<210, 256>(bytes, out, q6_k),
    }
}

#[inline(always)]
fn each<const BYTES: usize, const LEN: usize>(bytes: &[u8], out: &mut [f32], decode: impl Fn(&[u8; BYTES], &mut [f32; LEN])) {
    let (blocks, _) = bytes.as_chunks::<BYTES>();
    let (outs, _) = out.as_chunks_mut::<LEN>();
    for (block, out) in blocks.iter().zip(outs) {
        decode(block, out);
    }
}

/// An IEEE half's bits as f32, exactly. Without branches or calls, so that loops over blocks stay vectorised: the exponent
/// is rebased by a multiplication, which takes care of subnormal numbers too; infinities and NaNs are put right after it.
#[inline(always)]
fn f16_to_f32(bits: u16) -> f32 {
    let bits = u32::from(bits);
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * f32::from_bits((127 + 112) << 23);
    let special = if bits & 0x7c00 == 0x7c00 { 0x7f80_0000 } else { 0 };
    f32::from_bits(magnitude.to_bits() | special | (bits & 0x8000) << 16)
}

#[inline(always)]
pub(crate) fn half_at(block: &[u8], at: usize) -> f32 {
    f16_to_f32(u16::from_le_bytes([block[at], block[at + 1]]))
}

/// Six-bit scale and minimum of group `group` of 8, from the 12 bytes of a Q4_K or Q5_K block that pack them.
#[inline(always)]
fn scale_and_min(packed: &[u8], group: usize) -> (f32, f32) {
    let (scale, min) = if group < 4 {
        (packed[group] & 63, packed[group + 4] & 63)
    } else {
        (packed[group + 4] & 15 | (packed[group - 4] >> 6) << 4, packed[group + 4] >> 4 | (packed[group] >> 6) << 4)
    };
    (f32::from(scale), f32::from(min))
}

#[inline(always)]
fn q4_k(block: &[u8; 144], out: &mut [f32; 256]) {
    let (d, d_min) = (half_at(block, 0), half_at(block, 2));
    for pair in 0..4 {
        let (low_scale, low_min) = scale_and_min(&block[4..16], 2 * pair);
        let (high_scale, high_min) = scale_and_min(&block[4..16], 2 * pair + 1);
        for i in 0..32 {
            let q = block[16 + 32 * pair + i];
            out[64 * pair + i] = d * low_scale * f32::from(q & 15) - d_min * low_min;
            out[64 * pair + 32 + i] = d * high_scale * f32::from(q >> 4) - d_min * high_min;
        }
    }
}

#[inline(always)]
fn q5_k(block: &[u8; 176], out: &mut [f32; 256]) {
    let (d, d_min) = (half_at(block, 0), half_at(block, 2));
    for pair in 0..4 {
        let (low_scale, low_min) = scale_and_min(&block[4..16], 2 * pair);
        let (high_scale, high_min) = scale_and_min(&block[4..16], 2 * pair + 1);
        for i in 0..32 {
            let (q, high) = (block[48 + 32 * pair + i], block[16 + i]);
            let low_q = q & 15 | (high >> (2 * pair) & 1) << 4;
            let high_q = q >> 4 | (high >> (2 * pair + 1) & 1) << 4;
            out[64 * pair + i] = d * low_scale * f32::from(low_q) - d_min * low_min;
            out[64 * pair + 32 + i] = d * high_scale * f32::from(high_q) - d_min * high_min;
        }
    }
}

#[inline(always)]
fn q6_k(block: &[u8; 210], out: &mut [f32; 256]) {
    let d = half_at(block, 208);
    for side in 0..2 {
        let (low, high, scales) =
            (&block[64 * side..64 * side + 64], &block[128 + 32 * side..160 + 32 * side], &block[192 + 8 * side..200 + 8 * side]);
        let out = &mut out[128 * side..128 * side + 128];
        for i in 0..32 {
            let quants = [
                low[i] & 15 | (high[i] & 3) << 4,
                low[i + 32] & 15 | (high[i] >> 2 & 3) << 4,
                low[i] >> 4 | (high[i] >> 4 & 3) << 4,
                low[i + 32] >> 4 | (high[i] >> 6 & 3) << 4,
            ];
            for (quarter, q) in quants.into_iter().enumerate() {
                let scale = f32::from(scales[i / 16 + 2 * quarter] as i8);
                out[32 * quarter + i] = d * scale * (i32::from(q) - 32) as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_becomes_the_float_of_the_same_value() {
        for bits in 0..=u16::MAX {
            let (ours, expected) = (f16_to_f32(bits), half::f16::from_bits(bits).to_f32());
            assert!(
                ours == expected && ours.is_sign_negative() == expected.is_sign_negative() || ours.is_nan() && expected.is_nan(),
                "{bits:#x}: {ours} for {expected}"
            );
        }
    }
}
