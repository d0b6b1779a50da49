//! How the numbers of a weight are stored.

use std::fmt;

/// The stored form of a weight's elements: plain floats, or blocks of small integers that share scales.
///
/// Rows are stored one after another and each row is a whole number of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// 32-bit floats.
    F32,
    /// 16-bit IEEE floats.
    F16,
    /// The upper half of 32-bit floats.
    Bf16,
    /// 32 signed bytes and one f16 scale `d`: `w = d * q`.
    Q8_0,
    /// 32 four-bit integers and one f16 scale: `w = d * (q - 8)`.
    Q4_0,
    /// 32 four-bit integers, f16 scale and f16 minimum: `w = d * q + m`.
    Q4_1,
    /// 32 five-bit integers and one f16 scale: `w = d * (q - 16)`.
    Q5_0,
    /// 32 five-bit integers, f16 scale and f16 minimum: `w = d * q + m`.
    Q5_1,
    /// 256 four-bit integers in 8 groups with six-bit scales and minimums: `w = d * s * q - d_min * m`.
    Q4K,
    /// 256 five-bit integers, otherwise as [`Format::Q4K`].
    Q5K,
    /// 256 six-bit integers in 16 groups with signed eight-bit scales: `w = d * s * (q - 32)`.
    Q6K,
}

impl Format {
    /// Every format, for tests and tables.
    pub const ALL: [Format; 11] = [
        Format::F32,
        Format::F16,
        Format::Bf16,
        Format::Q8_0,
        Format::Q4_0,
        Format::Q4_1,
        Format::Q5_0,
        Format::Q5_1,
        Format::Q4K,
        Format::Q5K,
        Format::Q6K,
    ];

    /// The name that model files and their makers use.
    pub const fn name(self) -> &'static str {
        match self {
            Format::F32 => "F32",
            Format::F16 => "F16",
            Format::Bf16 => "BF16",
            Format::Q8_0 => "Q8_0",
            Format::Q4_0 => "Q4_0",
            Format::Q4_1 => "Q4_1",
            Format::Q5_0 => "Q5_0",
            Format::Q5_1 => "Q5_1",
            Format::Q4K => "Q4_K",
            Format::Q5K => "Q5_K",
            Format::Q6K => "Q6_K",
        }
    }

    /// Elements that are stored together; 1 for plain floats.
    pub const fn block_len(self) -> usize {
        match self {
            Format::F32 | Format::F16 | Format::Bf16 => 1,
            Format::Q8_0 | Format::Q4_0 | Format::Q4_1 | Format::Q5_0 | Format::Q5_1 => 32,
            Format::Q4K | Format::Q5K | Format::Q6K => 256,
        }
    }

    /// Stored bytes of one block.
    pub const fn block_bytes(self) -> usize {
        match self {
            Format::F32 => 4,
            Format::F16 | Format::Bf16 => 2,
            Format::Q8_0 => 34,
            Format::Q4_0 => 18,
            Format::Q4_1 => 20,
            Format::Q5_0 => 22,
            Format::Q5_1 => 24,
            Format::Q4K => 144,
            Format::Q5K => 176,
            Format::Q6K => 210,
        }
    }

    /// Stored bytes of `elements` elements, or `None` if they are no whole number of blocks or too many to count.
    pub const fn bytes_of(self, elements: usize) -> Option<usize> {
        if !elements.is_multiple_of(self.block_len()) {
            return None;
        }
        (elements / self.block_len()).checked_mul(self.block_bytes())
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
