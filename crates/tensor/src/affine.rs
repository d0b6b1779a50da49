//! Formats whose blocks are 32 small integers, a scale and perhaps a minimum; read, and multiplied as they are stored.

use crate::Format;
use crate::decode::half_at;

/// A block of 32 whose elements are `d * q[i] + m`.
pub(crate) struct Affine {
    pub(crate) d: f32,
    pub(crate) m: f32,
    pub(crate) q: [f32; 32],
}

impl Affine {
    #[inline(always)]
    pub(crate) fn write(self, out: &mut [f32; 32]) {
        for (out, q) in out.iter_mut().zip(self.q) {
            *out = self.d * q + self.m;
        }
    }
}

/// Dot products of one stored row with `ROWS` vectors, `None` if the format is not one of affine blocks of 32.
///
/// `x` holds the vectors in blocks, `[ROWS, blocks]`, and `sums` the sum of each block: then
/// `sum_i x[i] (d q[i] + m) = d sum_i x[i] q[i] + m sum_i x[i]` takes one multiply-add an element and decodes nothing to memory.
///
/// Inlined into callers that enable wider SIMD.
#[inline(always)]
pub fn dot_stored<const ROWS: usize>(format: Format, row: &[u8], x: &[[f32; 32]], sums: &[f32]) -> Option<[f32; ROWS]> {
    Some(match format {
        Format::Q8_0 => dot_blocks::<34, ROWS>(row, x, sums, q8_0),
        Format::Q4_0 => dot_blocks::<18, ROWS>(row, x, sums, q4_0),
        Format::Q4_1 => dot_blocks::<20, ROWS>(row, x, sums, q4_1),
        Format::Q5_0 => dot_blocks::<22, ROWS>(row, x, sums, q5_0),
        Format::Q5_1 => dot_blocks::<24, ROWS>(row, x, sums, q5_1),
        _ => return None,
    })
}

#[inline(always)]
fn dot_blocks<const BYTES: usize, const ROWS: usize>(
    row: &[u8],
    x: &[[f32; 32]],
    sums: &[f32],
    read: impl Fn(&[u8; BYTES]) -> Affine,
) -> [f32; ROWS] {
    let blocks = row.as_chunks::<BYTES>().0;
    let mut lanes = [[0.0f32; 16]; ROWS];
    let mut minima = [0.0f32; ROWS];
    for (i, block) in blocks.iter().enumerate() {
        let Affine { d, m, q } = read(block);
        for r in 0..ROWS {
            let x = &x[r * blocks.len() + i];
            let mut part = [0.0; 16];
            for k in 0..16 {
                part[k] = q[k] * x[k];
            }
            for k in 0..16 {
                part[k] = mul_add(q[16 + k], x[16 + k], part[k]);
            }
            for k in 0..16 {
                lanes[r][k] = mul_add(d, part[k], lanes[r][k]);
            }
            minima[r] = mul_add(m, sums[r * blocks.len() + i], minima[r]);
        }
    }
    let mut products = [0.0; ROWS];
    for r in 0..ROWS {
        products[r] = lanes[r].iter().sum::<f32>() + minima[r];
    }
    products
}

/// `a * b + c`, fused where that is one instruction. Plain WebAssembly has none, and a fused one in software is slow.
#[inline(always)]
pub fn mul_add(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(target_arch = "wasm32") { a * b + c } else { a.mul_add(b, c) }
}

#[inline(always)]
pub(crate) fn q8_0(block: &[u8; 34]) -> Affine {
    let mut q = [0.0; 32];
    for i in 0..32 {
        q[i] = i32::from(block[2 + i] as i8) as f32;
    }
    Affine { d: half_at(block, 0), m: 0.0, q }
}

#[inline(always)]
pub(crate) fn q4_0(block: &[u8; 18]) -> Affine {
    let mut q = [0.0; 32];
    for i in 0..16 {
        q[i] = (i32::from(block[2 + i] & 15) - 8) as f32;
    }
    for i in 0..16 {
        q[i + 16] = (i32::from(block[2 + i] >> 4) - 8) as f32;
    }
    Affine { d: half_at(block, 0), m: 0.0, q }
}

#[inline(always)]
pub(crate) fn q4_1(block: &[u8; 20]) -> Affine {
    let mut q = [0.0; 32];
    for i in 0..16 {
        q[i] = i32::from(block[4 + i] & 15) as f32;
    }
    for i in 0..16 {
        q[i + 16] = i32::from(block[4 + i] >> 4) as f32;
    }
    Affine { d: half_at(block, 0), m: half_at(block, 2), q }
}

/// The fifth bits of a block of 32, element i in bit i.
#[inline(always)]
fn fifth_bits(block: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
}

#[inline(always)]
pub(crate) fn q5_0(block: &[u8; 22]) -> Affine {
    let high = fifth_bits(block, 2);
    let mut q = [0.0; 32];
    for i in 0..16 {
        let bits = u32::from(block[6 + i]);
        q[i] = ((bits & 15 | (high >> i & 1) << 4) as i32 - 16) as f32;
        q[i + 16] = ((bits >> 4 | (high >> (i + 16) & 1) << 4) as i32 - 16) as f32;
    }
    Affine { d: half_at(block, 0), m: 0.0, q }
}

#[inline(always)]
pub(crate) fn q5_1(block: &[u8; 24]) -> Affine {
    let high = fifth_bits(block, 4);
    let mut q = [0.0; 32];
    for i in 0..16 {
        let bits = u32::from(block[8 + i]);
        q[i] = (bits & 15 | (high >> i & 1) << 4) as f32;
        q[i + 16] = (bits >> 4 | (high >> (i + 16) & 1) << 4) as f32;
    }
    Affine { d: half_at(block, 0), m: half_at(block, 2), q }
}
