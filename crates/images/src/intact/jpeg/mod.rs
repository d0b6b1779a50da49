//! Whether a JPEG file holds all of the picture that it promises (ITU-T T.81 and its annexes).
//!
//! Decoders made for looking at pictures fill what is missing with grey, so that a file cut in half is a picture like any other
//! to them. Here the codes of every scan are gone through, without computing a pixel: all blocks must be there, before the
//! marker that ends their scan, and the file must have its end marker. What follows that does not matter, nor do bytes between
//! segments that belong to none, nor whether all scans that would make the picture finer are there.

mod bits;
mod scan;

use crate::MAX_PIXELS;
use bits::{Bits, Huffman};
use scan::Scan;

/// More scans than any encoder writes: each goes through the whole picture.
const MAX_SCANS: usize = 100;

/// Why going through a file stopped.
#[derive(Debug)]
enum Stop {
    /// The file is of a kind that is not gone through here.
    OtherKind,
    /// It is damaged: how.
    Damaged(String),
}

fn damaged(reason: impl Into<String>) -> Stop {
    Stop::Damaged(reason.into())
}

/// Goes through a file.
///
/// # Errors
/// How it is damaged. Files of kinds that nobody here goes through are left to their decoder.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    match Walk::default().file(bytes) {
        Err(Stop::Damaged(reason)) => Err(reason),
        Ok(()) | Err(Stop::OtherKind) => Ok(()),
    }
}

/// A component of the frame.
#[derive(Debug)]
struct Component {
    id: u8,
    /// Blocks of an interleaved unit, across and down.
    across: usize,
    down: usize,
    /// Blocks that hold its pixels.
    width_blocks: usize,
    height_blocks: usize,
    /// Blocks in a row, those that only fill interleaved units included.
    stride: usize,
    /// Of each block which coefficients are not 0, in zigzag order: refining scans tell about those in another way. Empty
    /// where there are no such scans.
    nonzero: Vec<u64>,
    /// Whether its means have come.
    is_begun: bool,
}

#[derive(Debug)]
struct Frame {
    is_progressive: bool,
    /// Interleaved units of a row, and rows of such.
    units_across: usize,
    units_down: usize,
    components: Vec<Component>,
}

/// What has been read so far.
#[derive(Debug, Default)]
struct Walk {
    frame: Option<Frame>,
    /// Tables of the means, then of the other coefficients.
    tables: [[Option<Huffman>; 4]; 2],
    /// Units between two restart markers, 0 for no such markers.
    restart_interval: usize,
    n_scans: usize,
}

impl Walk {
    fn file(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let mut at = 0;
        loop {
            let Some((marker, after)) = bits::next_marker(bytes, at) else {
                return Err(damaged("it ends before its end marker"));
            };
            at = after;
            match marker {
                // Markers without a segment: a beginning, restarts after the last unit of a scan, and one for arithmetic codes.
                0xd8 | 0xd0..=0xd7 | 0x01 => continue,
                0xd9 => return self.end(),
                _ => {}
            }
            let segment = segment(bytes, at)?;
            at += 2 + segment.len();
            match marker {
                0xc0..=0xc2 => self.frame(segment, marker == 0xc2)?,
                0xc4 => self.huffman_tables(segment)?,
                // Lossless, hierarchical and arithmetic ones, and those whose height comes later.
                0xc3 | 0xc5..=0xcf | 0xdc => return Err(Stop::OtherKind),
                0xdd => self.restart_interval = usize::from(word(segment, 0)?),
                0xda => at = self.scan(segment, bytes, at)?,
                _ => {}
            }
        }
    }

    fn end(&self) -> Result<(), Stop> {
        match &self.frame {
            Some(frame) if frame.components.iter().all(|component| component.is_begun) => Ok(()),
            _ => Err(damaged("its end marker comes before all of its colour components have")),
        }
    }

    fn frame(&mut self, segment: &[u8], is_progressive: bool) -> Result<(), Stop> {
        if self.frame.is_some() {
            return Err(damaged("it has two frames"));
        }
        let (height, width) = (usize::from(word(segment, 1)?), usize::from(word(segment, 3)?));
        if height == 0 || width == 0 {
            return Err(Stop::OtherKind);
        }
        if (width * height) as u64 > MAX_PIXELS {
            return Err(damaged(format!("it has {width} x {height} pixels, which its beginning does not say")));
        }
        let stated = segment.get(6..).unwrap_or_default().as_chunks::<3>().0;
        let sampling = |byte: u8| (usize::from(byte >> 4), usize::from(byte & 15));
        let widest = stated.iter().map(|[_, byte, _]| sampling(*byte).0).max().unwrap_or(0);
        let tallest = stated.iter().map(|[_, byte, _]| sampling(*byte).1).max().unwrap_or(0);
        if stated.len() != usize::from(byte(segment, 5)?) || stated.is_empty() || stated.len() > 4 {
            return Err(damaged("its frame has no components, or more than 4"));
        }
        if stated.iter().any(|[_, byte, _]| !(1..=4).contains(&sampling(*byte).0) || !(1..=4).contains(&sampling(*byte).1)) {
            return Err(damaged("its components are sampled in no possible way"));
        }
        let (units_across, units_down) = (width.div_ceil(8 * widest), height.div_ceil(8 * tallest));
        let component = |[id, byte, _]: &[u8; 3]| {
            let (across, down) = sampling(*byte);
            let stride = units_across * across;
            Component {
                id: *id,
                across,
                down,
                width_blocks: (width * across).div_ceil(8 * widest),
                height_blocks: (height * down).div_ceil(8 * tallest),
                stride,
                nonzero: vec![0; if is_progressive { stride * units_down * down } else { 0 }],
                is_begun: false,
            }
        };
        let components = stated.iter().map(component).collect();
        self.frame = Some(Frame { is_progressive, units_across, units_down, components });
        Ok(())
    }

    fn huffman_tables(&mut self, mut segment: &[u8]) -> Result<(), Stop> {
        while let Some((which, rest)) = segment.split_first() {
            let (table, rest) = Huffman::read(rest)?;
            let slot = self.tables.get_mut(usize::from(which >> 4)).and_then(|tables| tables.get_mut(usize::from(which & 15)));
            *slot.ok_or_else(|| damaged("it has a Huffman table of no possible number"))? = Some(table);
            segment = rest;
        }
        Ok(())
    }

    /// Goes through the scan whose codes begin at `at`; gives where they end.
    fn scan(&mut self, segment: &[u8], bytes: &[u8], at: usize) -> Result<usize, Stop> {
        self.n_scans += 1;
        if self.n_scans > MAX_SCANS {
            return Err(damaged(format!("it has more than {MAX_SCANS} scans")));
        }
        let frame = self.frame.as_mut().ok_or_else(|| damaged("a scan comes before the frame"))?;
        let scan = Scan::read(segment, frame, &self.tables, self.restart_interval)?;
        let mut bits = Bits::new(bytes, at);
        scan.walk(frame, &mut bits)?;
        Ok(bits.position())
    }
}

/// A segment's content, without its length.
fn segment(bytes: &[u8], at: usize) -> Result<&[u8], Stop> {
    let ends = || damaged("it ends within a segment");
    let rest = bytes.get(at..).ok_or_else(ends)?;
    let len = usize::from(word(rest, 0).map_err(|_| ends())?);
    rest.get(2..len).ok_or_else(ends)
}

fn byte(segment: &[u8], at: usize) -> Result<u8, Stop> {
    segment.get(at).copied().ok_or_else(|| damaged("a segment is too short"))
}

fn word(segment: &[u8], at: usize) -> Result<u16, Stop> {
    Ok(u16::from_be_bytes([byte(segment, at)?, byte(segment, at + 1)?]))
}
