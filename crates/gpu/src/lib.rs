//! The executor on GPUs, through WebGPU in the browser and Vulkan, Metal or DirectX 12 natively.
//!
//! [`Adapters`] finds what there is, [`select()`] chooses, [`Adapters::open`] gives a [`GpuExecutor`], and [`self_test()`]
//! refuses a device that computes wrong numbers. The shaders are files in `shaders/`; [`Program`] puts them together.
//! Larger buffers than WebGPU's defaults are asked for and used where an adapter offers them, none is assumed; no optional feature
//! is used. This is the only crate that names wgpu.

mod adapters;
mod device;
mod error;
mod executor;
mod limits;
mod memory;
mod pace;
mod pipelines;
mod plan;
mod program;
mod select;
mod self_test;
mod signal;
mod tier;
mod weights;

pub use adapters::{AdapterFacts, AdapterKind, Adapters, Options};
pub use error::GpuError;
pub use executor::GpuExecutor;
pub use limits::Limits;
pub use program::{Access, Halves, Plain, Product, Program, storage_bindings};
pub use select::{Choice, Selection, UnknownWish, Wish, select};
pub use self_test::{Check, SelfTestError, SelfTestReport, compare, flushes_halves, self_test};
pub use tier::Tier;
