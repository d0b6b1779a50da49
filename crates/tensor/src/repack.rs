//! Stored rows to the word-aligned layouts in which shaders read them.
//!
//! A shader reads 32-bit words. Formats whose blocks are whole words stay as they are; the others get their halves packed
//! in pairs after the row's quants, so that a row grows by at most three words (Q6_K: two bytes a block). Every row begins at a word, and rows are
//! independent of one another, so that a weight can be repacked piece by piece as it streams in.
//!
//! | format | one row on the device |
//! |---|---|
//! | F32, F16, BF16 | as stored, padded with zeros to a multiple of 4 elements |
//! | Q8_0 | 8 words of quants a block; then the scales, two to a word |
//! | Q4_0 | 4 words of quants a block; then the scales, two to a word |
//! | Q4_1 | as stored: 5 words a block: scale and minimum, 4 words of quants |
//! | Q5_0 | 5 words a block: fifth bits, 4 words of quants; then the scales, two to a word |
//! | Q5_1 | as stored: 6 words a block: scale and minimum, fifth bits, 4 words of quants |
//! | Q4_K | as stored: 36 words a block: scale and minimum scale, 3 words of group scales, 32 words of quants |
//! | Q5_K | as stored: 44 words a block: as Q4_K with 8 words of fifth bits before the quants |
//! | Q6_K | 53 words a block: as stored (32 words of low bits, 16 of high bits, 4 of scales, the scale), padded to a word |

use crate::Format;

/// What was wrong with a call of [`repack`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RepackError {
    /// A row is no whole number of blocks.
    #[error("a row of {cols} elements is no whole number of {format} blocks of {}", .format.block_len())]
    Columns {
        /// The stored form.
        format: Format,
        /// Elements of a row.
        cols: usize,
    },
    /// The bytes are no whole number of rows.
    #[error("{bytes} bytes are no whole number of {format} rows of {row_bytes} bytes")]
    Length {
        /// The stored form.
        format: Format,
        /// Stored bytes of a row.
        row_bytes: usize,
        /// How many bytes were given.
        bytes: usize,
    },
}

/// Words that a row of `cols` elements takes on the device; `None` if it is no whole number of blocks or too long to count.
pub const fn row_words(format: Format, cols: usize) -> Option<usize> {
    let Some(stored_bytes) = format.bytes_of(cols) else { return None };
    let blocks = cols / format.block_len();
    match format {
        Format::F32 => cols.checked_next_multiple_of(4),
        Format::F16 | Format::Bf16 => match cols.checked_next_multiple_of(4) {
            Some(padded) => Some(padded / 2),
            None => None,
        },
        Format::Q8_0 | Format::Q4_0 | Format::Q5_0 => Some((stored_bytes - 2 * blocks) / 4 + blocks.div_ceil(2)),
        Format::Q4_1 | Format::Q5_1 | Format::Q4K | Format::Q5K | Format::Q6K => {
            blocks.checked_mul(format.block_bytes().div_ceil(4))
        }
    }
}

/// Appends the stored rows `bytes`, each of `cols` elements, to `out` in the device's layout.
pub fn repack(format: Format, cols: usize, bytes: &[u8], out: &mut Vec<u32>) -> Result<(), RepackError> {
    let (Some(row_bytes), Some(row_words)) = (format.bytes_of(cols), row_words(format, cols)) else {
        return Err(RepackError::Columns { format, cols });
    };
    if row_bytes == 0 || !bytes.len().is_multiple_of(row_bytes) {
        return Err(RepackError::Length { format, row_bytes, bytes: bytes.len() });
    }
    out.reserve(bytes.len() / row_bytes * row_words);
    for row in bytes.chunks_exact(row_bytes) {
        match format {
            Format::F32 | Format::F16 | Format::Bf16 => padded(row, row_words, out),
            Format::Q4_1 | Format::Q5_1 | Format::Q4K | Format::Q5K | Format::Q6K => {
                let words = format.block_bytes().div_ceil(4);
                row.chunks_exact(format.block_bytes()).for_each(|block| padded(block, words, out));
            }
            Format::Q8_0 => scales_last::<34>(row, out),
            Format::Q4_0 => scales_last::<18>(row, out),
            Format::Q5_0 => scales_last::<22>(row, out),
        }
    }
    Ok(())
}

/// The bytes as words, then zeros up to `words` words.
fn padded(bytes: &[u8], words: usize, out: &mut Vec<u32>) {
    let end = out.len() + words;
    let (whole, rest) = bytes.as_chunks::<4>();
    out.extend(whole.iter().map(|word| u32::from_le_bytes(*word)));
    if !rest.is_empty() {
        let mut word = [0; 4];
        word[..rest.len()].copy_from_slice(rest);
        out.push(u32::from_le_bytes(word));
    }
    out.resize(end, 0);
}

/// Blocks that begin with their f16 scale: everything else of each block, then the scales of all of them.
fn scales_last<const BYTES: usize>(row: &[u8], out: &mut Vec<u32>) {
    let (blocks, _) = row.as_chunks::<BYTES>();
    for block in blocks {
        let (words, _) = block[2..].as_chunks::<4>();
        out.extend(words.iter().map(|word| u32::from_le_bytes(*word)));
    }
    for pair in blocks.chunks(2) {
        let scale = |block: &[u8; BYTES]| u32::from(u16::from_le_bytes([block[0], block[1]]));
        out.push(pair.first().map_or(0, scale) | pair.get(1).map_or(0, scale) << 16);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode;

    /// The stored rows that a device's layout came from: what `repack` does, undone word by word.
    fn stored(format: Format, cols: usize, words: &[u32]) -> Vec<u8> {
        let row = row_words(format, cols).unwrap();
        let mut bytes = Vec::new();
        for words in words.chunks_exact(row) {
            let flat: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            let blocks = cols / format.block_len();
            match format {
                Format::Q8_0 | Format::Q4_0 | Format::Q5_0 => {
                    let quants = format.block_bytes() - 2;
                    for block in 0..blocks {
                        bytes.extend(&flat[blocks * quants + 2 * block..][..2]);
                        bytes.extend(&flat[block * quants..][..quants]);
                    }
                }
                Format::F32 | Format::F16 | Format::Bf16 => bytes.extend(&flat[..cols * format.block_bytes()]),
                _ => flat
                    .chunks_exact(format.block_bytes().next_multiple_of(4))
                    .for_each(|block| bytes.extend(&block[..format.block_bytes()])),
            }
        }
        bytes
    }

    /// Deterministic bytes with every half in them finite, so that decoded values compare.
    fn bytes(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8 & 0x7b).collect()
    }

    #[test]
    fn repacked_rows_decode_to_the_same_values() {
        for format in Format::ALL {
            for blocks in [1, 2, 3, 7] {
                let cols = blocks * format.block_len();
                let original = bytes(3 * format.bytes_of(cols).unwrap());
                let mut words = Vec::new();
                repack(format, cols, &original, &mut words).unwrap();
                assert_eq!(words.len(), 3 * row_words(format, cols).unwrap(), "{format} of {cols}");
                let back = stored(format, cols, &words);
                let (mut ours, mut expected) = (vec![0.0; 3 * cols], vec![1.0; 3 * cols]);
                decode(format, &back, &mut ours).unwrap();
                decode(format, &original, &mut expected).unwrap();
                assert_eq!(ours, expected, "{format} of {cols}");
            }
        }
    }

    #[test]
    fn pieces_repack_to_the_whole() {
        for format in Format::ALL {
            let cols = 3 * format.block_len();
            let row = format.bytes_of(cols).unwrap();
            let original = bytes(5 * row);
            let (mut whole, mut pieces) = (Vec::new(), Vec::new());
            repack(format, cols, &original, &mut whole).unwrap();
            repack(format, cols, &original[..2 * row], &mut pieces).unwrap();
            repack(format, cols, &original[2 * row..], &mut pieces).unwrap();
            assert_eq!(pieces, whole, "{format}");
        }
    }

    #[test]
    fn a_row_grows_by_at_most_three_words_or_half_a_word_a_block() {
        for format in Format::ALL {
            for blocks in [1, 18, 31] {
                let cols = blocks * format.block_len();
                let (stored, device) = (format.bytes_of(cols).unwrap(), 4 * row_words(format, cols).unwrap());
                let allowed = if format == Format::Q6K { 2 * blocks } else { 12 };
                assert!(device >= stored && device - stored <= allowed, "{format}: {stored} bytes became {device}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut out = Vec::new();
        assert_eq!(repack(Format::Q8_0, 33, &[0; 34], &mut out), Err(RepackError::Columns { format: Format::Q8_0, cols: 33 }));
        assert_eq!(
            repack(Format::Q8_0, 32, &[0; 35], &mut out),
            Err(RepackError::Length { format: Format::Q8_0, row_bytes: 34, bytes: 35 })
        );
        assert_eq!(
            repack(Format::F32, 0, &[], &mut out),
            Err(RepackError::Length { format: Format::F32, row_bytes: 0, bytes: 0 })
        );
        assert_eq!(row_words(Format::F16, usize::MAX), None);
        assert!(out.is_empty());
    }
}
