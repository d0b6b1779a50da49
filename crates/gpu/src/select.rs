//! Which device to run on, and why.

use crate::{AdapterFacts, AdapterKind, GpuError};
use std::fmt;
use std::str::FromStr;

/// What the user asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// Whatever is fastest.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// A GPU; a software adapter if there is no other.
    Gpu,
}

impl Wish {
    /// How each is asked for.
    pub const NAMES: [&str; 3] = ["auto", "cpu", "gpu"];
}

/// A name that is no [`Wish`]'s.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no device is called {0:?}; there are auto, cpu and gpu")]
pub struct UnknownWish(String);

impl FromStr for Wish {
    type Err = UnknownWish;

    fn from_str(name: &str) -> Result<Wish, UnknownWish> {
        match name {
            "auto" => Ok(Wish::Auto),
            "cpu" => Ok(Wish::Cpu),
            "gpu" => Ok(Wish::Gpu),
            other => Err(UnknownWish(other.to_owned())),
        }
    }
}

/// Where to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// On the CPU executor.
    Cpu,
    /// On the adapter of this index.
    Gpu(usize),
}

/// Where to run, and why, as a line for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Where.
    pub choice: Choice,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// Chooses among the adapters found. [`Wish::Auto`] never takes a software adapter, which is slower than the CPU executor.
/// The only error is [`GpuError::NoAdapter`], where a GPU was asked for.
pub fn select(wish: Wish, found: &[AdapterFacts]) -> Result<Selection, GpuError> {
    let cpu = |reason: String| Ok(Selection { choice: Choice::Cpu, reason: format!("CPU: {reason}") });
    let gpu = |index: usize, facts: &AdapterFacts, why: &str| {
        Ok(Selection { choice: Choice::Gpu(index), reason: format!("GPU: {}, {why}", facts.title()) })
    };
    // The first of the best, for drivers list what they prefer first.
    let best = found.iter().enumerate().rev().max_by_key(|(_, facts)| rank(facts.kind));
    match (wish, best) {
        (Wish::Cpu, _) => cpu("as asked for".to_owned()),
        (Wish::Auto, None) => cpu("no GPU adapter was found".to_owned()),
        (Wish::Auto, Some((_, facts))) if facts.is_software() => {
            let only = if found.len() == 1 { "the only adapter is" } else { "there are only software adapters, such as" };
            let what = if facts.name.is_empty() { "" } else { ", a software adapter" };
            cpu(format!("{only} {}{what}, slower than the CPU path", facts.title()))
        }
        (Wish::Auto, Some((index, facts))) => gpu(index, facts, facts.kind.phrase()),
        (Wish::Gpu, None) => Err(GpuError::NoAdapter),
        (Wish::Gpu, Some((index, facts))) if facts.is_software() => {
            gpu(index, facts, "as asked for, though it is a software adapter, slower than the CPU path")
        }
        (Wish::Gpu, Some((index, facts))) => gpu(index, facts, "as asked for"),
    }
}

fn rank(kind: AdapterKind) -> u8 {
    match kind {
        AdapterKind::Discrete => 4,
        AdapterKind::Integrated => 3,
        AdapterKind::Virtual => 2,
        AdapterKind::Unknown => 1,
        AdapterKind::Software => 0,
    }
}

impl AdapterKind {
    /// The kind in words.
    pub const fn phrase(self) -> &'static str {
        match self {
            AdapterKind::Discrete => "a discrete GPU",
            AdapterKind::Integrated => "an integrated GPU",
            AdapterKind::Virtual => "a virtual GPU",
            AdapterKind::Software => "a software adapter",
            AdapterKind::Unknown => "a hardware adapter",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn adapter(name: &str, kind: AdapterKind) -> AdapterFacts {
        let (backend, driver) = ("vulkan".to_owned(), String::new());
        AdapterFacts { name: name.to_owned(), kind, backend, driver, limits: Limits::BASELINE }
    }

    #[test]
    fn auto_prefers_hardware_and_says_why_it_takes_the_cpu() {
        let llvmpipe = adapter("llvmpipe", AdapterKind::Software);
        let selection = select(Wish::Auto, std::slice::from_ref(&llvmpipe)).unwrap();
        assert_eq!(selection.choice, Choice::Cpu);
        assert_eq!(selection.reason, "CPU: the only adapter is llvmpipe (vulkan), a software adapter, slower than the CPU path");
        let nameless = adapter("", AdapterKind::Software);
        assert_eq!(
            select(Wish::Auto, &[nameless]).unwrap().reason,
            "CPU: the only adapter is the browser's software adapter (vulkan), slower than the CPU path"
        );
        let found = [llvmpipe, adapter("iGPU", AdapterKind::Integrated), adapter("dGPU", AdapterKind::Discrete)];
        let selection = select(Wish::Auto, &found).unwrap();
        assert_eq!((selection.choice, selection.reason.as_str()), (Choice::Gpu(2), "GPU: dGPU (vulkan), a discrete GPU"));
        assert_eq!(select(Wish::Auto, &[]).unwrap().choice, Choice::Cpu);
    }

    #[test]
    fn of_equals_the_first_is_taken() {
        let found = [adapter("a", AdapterKind::Discrete), adapter("b", AdapterKind::Discrete)];
        assert_eq!(select(Wish::Auto, &found).unwrap().choice, Choice::Gpu(0));
    }

    #[test]
    fn asking_for_a_gpu_takes_a_software_adapter_but_not_nothing() {
        let found = [adapter("llvmpipe", AdapterKind::Software)];
        assert_eq!(select(Wish::Gpu, &found).unwrap().choice, Choice::Gpu(0));
        assert!(matches!(select(Wish::Gpu, &[]), Err(GpuError::NoAdapter)));
        assert_eq!(select(Wish::Cpu, &found).unwrap().choice, Choice::Cpu);
    }
}
