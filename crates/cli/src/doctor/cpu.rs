//! The processor, as far as the CPU executor cares.

use kernels::cpu::CpuExecutor;
use serde::Serialize;

/// What the CPU executor has to work with.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Cpu {
    pub(super) architecture: &'static str,
    pub(super) threads: usize,
    /// Vector instructions of interest that are there.
    pub(super) features: Vec<&'static str>,
}

impl Cpu {
    pub(super) fn of_this_machine() -> Self {
        Self { architecture: std::env::consts::ARCH, threads: CpuExecutor::new().threads(), features: features() }
    }
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    let known = [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("f16c", is_x86_feature_detected!("f16c")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512bw", is_x86_feature_detected!("avx512bw")),
        ("avx512vl", is_x86_feature_detected!("avx512vl")),
    ];
    known.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
}

#[cfg(target_arch = "aarch64")]
fn features() -> Vec<&'static str> {
    use std::arch::is_aarch64_feature_detected;
    let known = [
        ("neon", is_aarch64_feature_detected!("neon")),
        ("fp16", is_aarch64_feature_detected!("fp16")),
        ("dotprod", is_aarch64_feature_detected!("dotprod")),
    ];
    known.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn features() -> Vec<&'static str> {
    Vec::new()
}
