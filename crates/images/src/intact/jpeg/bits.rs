//! Bits of entropy-coded segments, and the codes that they are.

use super::{Stop, damaged};

/// The next marker from `at` on, and where its segment begins: `0xff`, as often as it likes, and a byte that is not 0.
pub(super) fn next_marker(bytes: &[u8], mut at: usize) -> Option<(u8, usize)> {
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        at += bytes.get(at..)?.iter().position(|byte| *byte != 0xff)?;
        match bytes.get(at)? {
            0 => {}
            marker => return Some((*marker, at + 1)),
        }
    }
}

/// Bits up to the next marker.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Bits that were taken from `bytes`, of which the last `n` are still to be read.
    taken: u64,
    n: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Bits<'a> {
        Bits { bytes, at, taken: 0, n: 0 }
    }

    /// Before the marker that ends the bits, or before it by bytes that were not needed.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Takes bytes until there are at least 32 bits, or a marker or the end of the file comes.
    fn fill(&mut self) {
        while self.n <= 32 {
            let Some(byte) = self.bytes.get(self.at) else { return };
            let mut next = self.at + 1;
            if *byte == 0xff {
                while self.bytes.get(next) == Some(&0xff) {
                    next += 1;
                }
                // A 0 after it says that it is no marker.
                if self.bytes.get(next) != Some(&0) {
                    return;
                }
                next += 1;
            }
            self.at = next;
            self.taken = self.taken << 8 | u64::from(*byte);
            self.n += 8;
        }
    }

    /// The next bits, at most 16.
    pub(super) fn take(&mut self, count: u32) -> Result<u32, Stop> {
        if self.n < count {
            self.fill();
        }
        self.n = self.n.checked_sub(count).ok_or_else(ended)?;
        Ok((self.taken >> self.n) as u32 & ((1 << count) - 1))
    }

    /// The next 16 bits, zeros where there are no more, without passing them.
    fn peek(&mut self) -> u32 {
        if self.n < 16 {
            self.fill();
        }
        let there = if self.n >= 16 { self.taken >> (self.n - 16) } else { self.taken << (16 - self.n) };
        there as u32 & 0xffff
    }

    /// The symbol of the next code.
    pub(super) fn symbol(&mut self, table: &Huffman) -> Result<u8, Stop> {
        let next = self.peek();
        let (len, symbol) = table
            .find(next)
            .ok_or_else(|| if self.n >= 16 { damaged("a code in its data is none of its table") } else { ended() })?;
        self.n = self.n.checked_sub(len).ok_or_else(ended)?;
        Ok(symbol)
    }

    /// Goes on after the restart marker of that number, which must be the next one.
    pub(super) fn restart(&mut self, number: u8) -> Result<(), Stop> {
        match next_marker(self.bytes, self.at) {
            Some((marker, after)) if marker == 0xd0 + number => {
                *self = Bits::new(self.bytes, after);
                Ok(())
            }
            Some(_) => Err(damaged("a restart marker is missing")),
            None => Err(ended()),
        }
    }
}

fn ended() -> Stop {
    damaged("its data ends before the picture does")
}

/// A table of codes (annex C).
#[derive(Debug)]
pub(super) struct Huffman {
    /// Length and symbol of the code that a byte begins with; length 0 where it is longer.
    short: Vec<(u8, u8)>,
    /// Of each length from 1 on: one more than its last code, put to the left of 16 bits.
    ends: [u32; 16],
    /// Of each length: what is added to a code for the place of its symbol.
    offsets: [i32; 16],
    symbols: Vec<u8>,
}

impl Huffman {
    /// Reads a table of a segment; gives what follows it.
    pub(super) fn read(segment: &[u8]) -> Result<(Huffman, &[u8]), Stop> {
        let short = || damaged("a segment is too short");
        let (counts, rest) = segment.split_first_chunk::<16>().ok_or_else(short)?;
        let total = counts.iter().map(|count| usize::from(*count)).sum();
        let symbols = rest.get(..total).ok_or_else(short)?.to_vec();
        let mut table = Huffman { short: vec![(0, 0); 256], ends: [0; 16], offsets: [0; 16], symbols };
        let (mut code, mut place) = (0_u32, 0_i32);
        for (at, count) in counts.iter().enumerate() {
            let bits = 16 - (at as u32 + 1);
            let count = u32::from(*count);
            if code + count > 1 << (at + 1) {
                return Err(damaged("a Huffman table has more codes than there can be"));
            }
            if let Some(offset) = table.offsets.get_mut(at) {
                *offset = place - code as i32;
            }
            code += count;
            place += count as i32;
            if let Some(end) = table.ends.get_mut(at) {
                *end = code << bits;
            }
            code <<= 1;
        }
        for first in 0..=255_u8 {
            let found = table.search(u32::from(first) << 8).filter(|(len, _)| *len <= 8);
            if let (Some((len, symbol)), Some(entry)) = (found, table.short.get_mut(usize::from(first))) {
                *entry = (len as u8, symbol);
            }
        }
        Ok((table, rest.get(total..).unwrap_or_default()))
    }

    /// Length and symbol of the code that 16 bits begin with.
    fn find(&self, bits: u32) -> Option<(u32, u8)> {
        match self.short.get((bits >> 8) as usize) {
            Some((len @ 1.., symbol)) => Some((u32::from(*len), *symbol)),
            _ => self.search(bits),
        }
    }

    fn search(&self, bits: u32) -> Option<(u32, u8)> {
        let at = self.ends.iter().position(|end| bits < *end)?;
        let place = self.offsets.get(at)? + (bits >> (15 - at)) as i32;
        let symbol = self.symbols.get(usize::try_from(place).ok()?)?;
        Some((at as u32 + 1, *symbol))
    }
}
