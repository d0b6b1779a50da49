//! The adapters of this machine, and opening one.

use crate::{GpuError, GpuExecutor, Halves, Limits, Tier};

/// What is known of an adapter before it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterFacts {
    /// Its name; browsers may keep it to themselves.
    pub name: String,
    /// What sort of device it is.
    pub kind: AdapterKind,
    /// How it is driven: `vulkan`, `metal`, `dx12`, or `webgpu` in a browser.
    pub backend: String,
    /// The driver and its version; empty in a browser.
    pub driver: String,
    /// The sizes that it offers at most.
    pub limits: Limits,
}

/// Sorts of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdapterKind {
    /// With memory of its own.
    Discrete,
    /// Sharing the processor's memory.
    Integrated,
    /// A part of a device, given to a virtual machine.
    Virtual,
    /// A program on the processor.
    Software,
    /// It does not say, as in browsers.
    Unknown,
}

impl AdapterFacts {
    fn of(adapter: &wgpu::Adapter) -> AdapterFacts {
        let info = adapter.get_info();
        let kind = match info.device_type {
            wgpu::DeviceType::DiscreteGpu => AdapterKind::Discrete,
            wgpu::DeviceType::IntegratedGpu => AdapterKind::Integrated,
            wgpu::DeviceType::VirtualGpu => AdapterKind::Virtual,
            wgpu::DeviceType::Cpu => AdapterKind::Software,
            wgpu::DeviceType::Other => AdapterKind::Unknown,
        };
        AdapterFacts {
            name: info.name,
            kind,
            backend: info.backend.to_string(),
            driver: [info.driver, info.driver_info].join(" ").trim().to_owned(),
            limits: Limits::of(&adapter.limits()),
        }
    }

    /// Whether it is a program on the processor, slower than the CPU executor.
    pub fn is_software(&self) -> bool {
        self.kind == AdapterKind::Software
    }

    /// The kernels that suit it.
    pub fn tier(&self) -> Tier {
        if self.is_software() { Tier::Software } else { Tier::Portable }
    }

    /// Its name, or what can be said in place of one, and how it is driven.
    pub fn title(&self) -> String {
        let name = match (self.name.as_str(), self.kind) {
            ("", AdapterKind::Software) => "the browser's software adapter",
            ("", _) => "the browser's GPU",
            (name, _) => name,
        };
        format!("{name} ({})", self.backend)
    }
}

/// Taking the last of a device's memory makes the whole desktop suffer, or loses the device; better to be told that there is
/// no more.
const MEMORY_PERCENT: u8 = 95;

/// How to open an adapter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Ask for the largest buffers and bindings that the adapter offers, hence fewer pieces of large weights and larger chunks,
    /// in place of WebGPU's defaults. Where that is refused the defaults are taken.
    pub larger_limits: bool,
    /// Keep to less than the device allows, as tests do.
    pub at_most: Option<Limits>,
    /// Kernels other than those that suit the adapter.
    pub tier: Option<Tier>,
    /// How halves are read; the self-test may find that it must be another way.
    pub halves: Halves,
    /// How long a submit may take, in milliseconds: about what goes unnoticed on a screen and by watchdogs.
    pub submit_ms: f64,
}

impl Default for Options {
    fn default() -> Options {
        Options { larger_limits: true, at_most: None, tier: None, halves: Halves::Native, submit_ms: 100.0 }
    }
}

impl Options {
    /// No more than every WebGPU device offers.
    pub fn baseline() -> Options {
        Options { larger_limits: false, ..Options::default() }
    }
}

/// The adapters that were found.
#[derive(Debug)]
pub struct Adapters {
    instance: wgpu::Instance,
    found: Vec<(wgpu::Adapter, AdapterFacts)>,
}

impl Adapters {
    /// Looks for adapters: natively all of Vulkan, Metal and DirectX 12, in a browser the one it prefers.
    pub async fn find() -> Adapters {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        // Drivers' validation layers are often too old for what wgpu makes; it validates everything itself.
        descriptor.flags = wgpu::InstanceFlags::empty();
        descriptor.backends = backends();
        descriptor.memory_budget_thresholds.for_resource_creation = Some(MEMORY_PERCENT);
        let instance = wgpu::Instance::new(descriptor);
        let adapters = if cfg!(target_arch = "wasm32") {
            fresh(&instance).await.into_iter().collect()
        } else {
            instance.enumerate_adapters(backends()).await
        };
        let found = adapters.into_iter().map(|adapter| {
            let facts = AdapterFacts::of(&adapter);
            (adapter, facts)
        });
        Adapters { found: found.collect(), instance }
    }

    /// What is known of each, in the order by which they are opened.
    pub fn facts(&self) -> Vec<AdapterFacts> {
        self.found.iter().map(|(_, facts)| facts.clone()).collect()
    }

    /// Opens the adapter `index`.
    pub async fn open(&self, index: usize, options: &Options) -> Result<GpuExecutor, GpuError> {
        let missing = || GpuError::NoSuchAdapter { index, found: self.found.len() };
        let (adapter, facts) = self.found.get(index).ok_or_else(missing)?;
        let name = facts.title();
        let downlevel = adapter.get_downlevel_capabilities();
        if !downlevel.flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS) {
            return Err(GpuError::NoCompute { adapter: name });
        }
        let baseline = wgpu::Limits::defaults();
        let mut short = None;
        baseline.check_limits_with_fail_fn(&adapter.limits(), false, |limit, needed, allowed| {
            short.get_or_insert(GpuError::Limit { adapter: name.clone(), limit: limit.to_owned(), needed, allowed });
        });
        if let Some(error) = short {
            return Err(error);
        }
        let mut tries = vec![baseline.clone()];
        if options.larger_limits {
            tries.insert(0, larger(baseline, &adapter.limits()));
        }
        let mut reason = String::new();
        for limits in tries {
            // A browser's adapter serves for one device only.
            let again = if cfg!(target_arch = "wasm32") { fresh(&self.instance).await } else { None };
            let descriptor = wgpu::DeviceDescriptor {
                label: Some("AtMan"),
                required_features: wgpu::Features::empty(),
                required_limits: limits,
                experimental_features: wgpu::ExperimentalFeatures::disabled(),
                memory_hints: wgpu::MemoryHints::MemoryUsage,
                trace: wgpu::Trace::Off,
            };
            match again.as_ref().unwrap_or(adapter).request_device(&descriptor).await {
                Ok((device, queue)) => {
                    let limits = Limits::of(&device.limits());
                    let limits = options.at_most.map_or(limits, |most| limits.least(most));
                    let tier = options.tier.unwrap_or(facts.tier());
                    let mut executor = GpuExecutor::new(device, queue, name, tier, limits, options.submit_ms)?;
                    executor.set_halves(options.halves);
                    return Ok(executor);
                }
                Err(error) => reason = error.to_string(),
            }
        }
        Err(GpuError::Refused { adapter: name, reason })
    }
}

fn backends() -> wgpu::Backends {
    if cfg!(target_arch = "wasm32") {
        wgpu::Backends::BROWSER_WEBGPU
    } else {
        wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12
    }
}

/// The adapter that a browser prefers, not yet used.
async fn fresh(instance: &wgpu::Instance) -> Option<wgpu::Adapter> {
    let options = wgpu::RequestAdapterOptions { power_preference: wgpu::PowerPreference::HighPerformance, ..Default::default() };
    instance.request_adapter(&options).await.ok()
}

/// The defaults with the sizes of buffers and bindings that the adapter has, up to what 32-bit word numbers reach.
fn larger(defaults: wgpu::Limits, adapter: &wgpu::Limits) -> wgpu::Limits {
    const MOST: u64 = 4 << 30;
    wgpu::Limits {
        max_storage_buffer_binding_size: adapter.max_storage_buffer_binding_size.min(MOST - 4),
        max_buffer_size: adapter.max_buffer_size.min(MOST),
        ..defaults
    }
}
