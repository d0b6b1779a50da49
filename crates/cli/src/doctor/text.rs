//! The report for people.

use super::{Adapter, Report, SelfTest, Sizes};
use crate::text::bytes;
use std::fmt;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "atman {}", self.version)?;
        let features = if self.cpu.features.is_empty() { "none known".to_owned() } else { self.cpu.features.join(" ") };
        writeln!(f, "\nCPU: {}, {} threads; vector instructions: {features}", self.cpu.architecture, self.cpu.threads)?;
        if let Some(reason) = &self.no_adapters {
            writeln!(f, "\nGPU adapters: FAILED: looking for them, {reason}")?;
        } else if self.adapters.is_empty() {
            writeln!(f, "\nGPU adapters: none")?;
        }
        for (index, adapter) in self.adapters.iter().enumerate() {
            write!(f, "\nGPU adapter {index}: {adapter}")?;
        }
        writeln!(f, "\n--device auto takes {}", self.auto.reason)?;
        writeln!(f, "\nBuilt-in model: {}  {}", self.built_in.name, bytes(self.built_in.len_bytes))?;
        writeln!(f, "\nModels in {}", self.models_folder.display())?;
        for model in &self.models {
            writeln!(f, "  {}  {}", model.name, bytes(model.len_bytes))?;
        }
        if self.models.is_empty() {
            writeln!(f, "  none; `atman models` lists those that `atman fetch` brings")?;
        }
        Ok(())
    }
}

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, {}", self.name, self.kind)?;
        let driver = if self.driver.is_empty() { "unnamed" } else { &self.driver };
        writeln!(f, "  driven by   {}, driver {driver}", self.backend)?;
        writeln!(f, "  offers      {}", self.offers)?;
        if let Some(keeps_to) = self.keeps_to {
            writeln!(f, "  used up to  {keeps_to}")?;
        }
        writeln!(f, "  tier        {}: {}", self.tier, self.tier_reason)?;
        write!(f, "  self-test   {}", self.self_test)
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sizes { binding_bytes, buffer_bytes, workgroups_per_dimension } = *self;
        // Limits are powers of two, and are known by their binary sizes.
        let mebibytes = |bytes: u64| bytes >> 20;
        write!(f, "bindings of {} MiB, buffers of {} MiB, ", mebibytes(binding_bytes), mebibytes(buffer_bytes))?;
        write!(f, "{workgroups_per_dimension} workgroups a dimension")
    }
}

impl fmt::Display for SelfTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.failure {
            None => writeln!(f, "passed, {} kernels in {:.0} ms, opening the device included", self.checks.len(), self.took_ms)?,
            Some(failure) => writeln!(f, "FAILED: {failure}")?,
        }
        for check in &self.checks {
            writeln!(f, "    {}: {:.1e} of at most {:.0e}", check.kernel, check.deviation, check.bound)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::doctor::cpu::Cpu;
    use crate::doctor::{Adapter, Auto, BuiltIn, Check, Report, SelfTest, Sizes};
    use crate::store::Stored;

    fn report() -> Report {
        let sizes = Sizes { binding_bytes: 128 << 20, buffer_bytes: 256 << 20, workgroups_per_dimension: 65_535 };
        let check = Check { kernel: "rms_norm".into(), deviation: 1.25e-7, bound: 2e-5 };
        Report {
            version: "1.2.3",
            cpu: Cpu { architecture: "x86_64", threads: 8, features: vec!["avx2", "fma"] },
            adapters: vec![Adapter {
                name: "Card".into(),
                kind: "a discrete GPU",
                is_software: false,
                backend: "vulkan".into(),
                driver: "d 1".into(),
                offers: Sizes { buffer_bytes: 1 << 30, ..sizes },
                keeps_to: Some(sizes),
                tier: "portable",
                tier_reason: "why",
                self_test: SelfTest { passed: true, failure: None, checks: vec![check], took_ms: 12.3 },
            }],
            no_adapters: None,
            auto: Auto { device: "gpu", adapter: Some(0), reason: "GPU: Card (vulkan), a discrete GPU".into() },
            built_in: BuiltIn { name: "tiny", len_bytes: 6_400_000 },
            models_folder: "/models".into(),
            models: vec![Stored { name: "m".into(), path: "/models/m.gguf".into(), len_bytes: 98_362_432 }],
        }
    }

    #[test]
    fn people_read_every_finding() {
        let expected = "\
atman 1.2.3

CPU: x86_64, 8 threads; vector instructions: avx2 fma

GPU adapter 0: Card, a discrete GPU
  driven by   vulkan, driver d 1
  offers      bindings of 128 MiB, buffers of 1024 MiB, 65535 workgroups a dimension
  used up to  bindings of 128 MiB, buffers of 256 MiB, 65535 workgroups a dimension
  tier        portable: why
  self-test   passed, 1 kernels in 12 ms, opening the device included
    rms_norm: 1.2e-7 of at most 2e-5

--device auto takes GPU: Card (vulkan), a discrete GPU

Built-in model: tiny  6.4 MB

Models in /models
  m  98.4 MB
";
        assert_eq!(report().to_string(), expected);
    }

    #[test]
    fn a_failed_self_test_stands_out_and_nothing_found_is_said() {
        let mut report = report();
        let failure = Some("computes wrong numbers".to_owned());
        report.adapters[0].self_test = SelfTest { passed: false, failure, checks: vec![], took_ms: 1.0 };
        assert!(report.to_string().contains("self-test   FAILED: computes wrong numbers\n"));
        report.adapters.clear();
        report.models.clear();
        let text = report.to_string();
        assert!(text.contains("GPU adapters: none") && text.contains("  none; `atman models`"), "{text}");
    }

    #[test]
    fn programs_read_the_same() {
        let json = serde_json::to_value(report()).unwrap();
        assert_eq!(json["adapters"][0]["self_test"]["checks"][0]["kernel"], "rms_norm");
        assert_eq!(json["adapters"][0]["keeps_to"]["buffer_bytes"], 256 << 20);
        assert_eq!(json["auto"]["device"], "gpu");
        assert_eq!(json["models"][0]["name"], "m");
    }
}
