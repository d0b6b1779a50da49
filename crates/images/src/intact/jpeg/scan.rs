//! The codes of one scan (annexes F and G).

use super::bits::{Bits, Huffman};
use super::{Component, Frame, Stop, byte, damaged};

/// What a scan's header says.
pub(super) struct Scan<'a> {
    /// Which components, with the tables of their means and of their other coefficients.
    parts: Vec<(usize, Option<&'a Huffman>, Option<&'a Huffman>)>,
    /// The first and the last coefficient, in zigzag order.
    first: u32,
    last: u32,
    /// Whether it refines what has come.
    refines: bool,
    restart_interval: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn read(
        segment: &[u8],
        frame: &Frame,
        tables: &'a [[Option<Huffman>; 4]; 2],
        restart_interval: usize,
    ) -> Result<Scan<'a>, Stop> {
        let count = usize::from(byte(segment, 0)?);
        let table = |kind: usize, number: u8| tables.get(kind).and_then(|tables| tables.get(usize::from(number))?.as_ref());
        let mut parts = Vec::new();
        for part in 0..count {
            let (id, numbers) = (byte(segment, 1 + 2 * part)?, byte(segment, 2 + 2 * part)?);
            let component = frame.components.iter().position(|component| component.id == id);
            let component = component.ok_or_else(|| damaged("a scan is of a component that the frame has not"))?;
            parts.push((component, table(0, numbers >> 4), table(1, numbers & 15)));
        }
        let at = 1 + 2 * count;
        let (first, last, refines) = if frame.is_progressive {
            (u32::from(byte(segment, at)?), u32::from(byte(segment, at + 1)?), byte(segment, at + 2)? >> 4 > 0)
        } else {
            (0, 63, false)
        };
        let is_possible = first <= last && last < 64 && (!frame.is_progressive || (first == 0) == (last == 0));
        if !is_possible || parts.is_empty() || parts.len() > 4 || (first > 0 && parts.len() > 1) {
            return Err(damaged("a scan is of no possible kind"));
        }
        Ok(Scan { parts, first, last, refines, restart_interval })
    }

    /// Goes through all of its blocks.
    pub(super) fn walk(&self, frame: &mut Frame, bits: &mut Bits<'_>) -> Result<(), Stop> {
        let (across, down) = match self.parts[..] {
            [(only, ..)] => frame.components.get(only).map_or((0, 0), |part| (part.width_blocks, part.height_blocks)),
            _ => (frame.units_across, frame.units_down),
        };
        let is_interleaved = self.parts.len() > 1;
        let (mut unit, mut end_run) = (0, 0);
        for row in 0..down {
            for col in 0..across {
                if self.restart_interval > 0 && unit > 0 && unit % self.restart_interval == 0 {
                    bits.restart(((unit / self.restart_interval - 1) % 8) as u8)?;
                    end_run = 0;
                }
                unit += 1;
                for (component, means, others) in &self.parts {
                    let Some(component) = frame.components.get_mut(*component) else { continue };
                    let (h, v) = if is_interleaved { (component.across, component.down) } else { (1, 1) };
                    for block in 0..h * v {
                        let at = (row * v + block / h) * component.stride + col * h + block % h;
                        if frame.is_progressive {
                            self.part_of_block(component, at, *means, *others, &mut end_run, bits)?;
                        } else {
                            whole_block(required(*means)?, required(*others)?, bits)?;
                        }
                    }
                }
            }
        }
        for (component, ..) in self.parts.iter().filter(|_| self.first == 0) {
            if let Some(component) = frame.components.get_mut(*component) {
                component.is_begun = true;
            }
        }
        Ok(())
    }

    /// The coefficients of a block that a progressive scan tells of.
    fn part_of_block(
        &self,
        component: &mut Component,
        at: usize,
        means: Option<&Huffman>,
        others: Option<&Huffman>,
        end_run: &mut u32,
        bits: &mut Bits<'_>,
    ) -> Result<(), Stop> {
        match (self.first, self.refines) {
            (0, false) => {
                let len = bits.symbol(required(means)?)?;
                return value(len, bits);
            }
            (0, true) => return bits.take(1).map(drop),
            _ => {}
        }
        let Some(nonzero) = component.nonzero.get_mut(at) else { return Err(damaged("a block lies outside its picture")) };
        if self.refines {
            self.refine(nonzero, required(others)?, end_run, bits)
        } else {
            self.begin(nonzero, required(others)?, end_run, bits)
        }
    }

    /// Coefficients other than the mean, told of for the first time (G.1.2.2).
    fn begin(&self, nonzero: &mut u64, table: &Huffman, end_run: &mut u32, bits: &mut Bits<'_>) -> Result<(), Stop> {
        if *end_run > 0 {
            *end_run -= 1;
            return Ok(());
        }
        let mut k = self.first;
        while k <= self.last {
            let symbol = bits.symbol(table)?;
            let (run, len) = (u32::from(symbol >> 4), symbol & 15);
            match (run, len) {
                (15, 0) => k += 16,
                (run, 0) => {
                    *end_run = (1 << run) - 1 + bits.take(run)?;
                    return Ok(());
                }
                (run, len) => {
                    k += run;
                    if k > self.last {
                        return Err(beyond());
                    }
                    value(len, bits)?;
                    *nonzero |= 1 << k;
                    k += 1;
                }
            }
        }
        Ok(())
    }

    /// One more bit of each coefficient that is there, and coefficients that appear (G.1.2.3).
    fn refine(&self, nonzero: &mut u64, table: &Huffman, end_run: &mut u32, bits: &mut Bits<'_>) -> Result<(), Stop> {
        let is_there = |nonzero: u64, k: u32| nonzero >> k & 1 == 1;
        let mut k = self.first;
        while k <= self.last && *end_run == 0 {
            let symbol = bits.symbol(table)?;
            let (mut run, len) = (u32::from(symbol >> 4), symbol & 15);
            if len == 0 && run < 15 {
                *end_run = (1 << run) + bits.take(run)?;
                break;
            }
            if len > 0 {
                bits.take(1)?;
            }
            // So many that are 0 are passed, and those that are not tell their bit.
            while k <= self.last {
                if is_there(*nonzero, k) {
                    bits.take(1)?;
                } else if run == 0 {
                    break;
                } else {
                    run -= 1;
                }
                k += 1;
            }
            if len > 0 {
                if k > self.last {
                    return Err(beyond());
                }
                *nonzero |= 1 << k;
            }
            k += 1;
        }
        if *end_run > 0 {
            for k in k..=self.last {
                if is_there(*nonzero, k) {
                    bits.take(1)?;
                }
            }
            *end_run -= 1;
        }
        Ok(())
    }
}

/// All coefficients of a block of a sequential scan (F.2.2).
fn whole_block(means: &Huffman, others: &Huffman, bits: &mut Bits<'_>) -> Result<(), Stop> {
    let len = bits.symbol(means)?;
    value(len, bits)?;
    let mut k = 1;
    while k < 64 {
        let symbol = bits.symbol(others)?;
        match (u32::from(symbol >> 4), symbol & 15) {
            (15, 0) => k += 16,
            (_, 0) => break,
            (run, len) => {
                k += run;
                if k > 63 {
                    return Err(beyond());
                }
                value(len, bits)?;
                k += 1;
            }
        }
    }
    Ok(())
}

/// Passes the bits of a value.
fn value(len: u8, bits: &mut Bits<'_>) -> Result<(), Stop> {
    if len > 16 {
        return Err(damaged("a value in its data is longer than there can be"));
    }
    bits.take(u32::from(len)).map(drop)
}

fn beyond() -> Stop {
    damaged("a block in its data has too many values")
}

/// Films leave out the tables that all of their pictures have.
fn required(table: Option<&Huffman>) -> Result<&Huffman, Stop> {
    table.ok_or(Stop::OtherKind)
}
