//! What the engine computes, as data, and who computes it.
//!
//! A model describes its work as a list of [`Op`]s over [`Buffer`]s and [`Weight`]s; an [`Executor`] carries it out.
//! The cost of an operation is known before it runs ([`Op::cost`]). [`cpu::CpuExecutor`] is the executor that is always
//! there, and the twin that every shader is compared with.

mod buffer;
mod check;
mod cost;
pub mod cpu;
mod executor;
mod op;
mod uses;
mod weight;

pub use buffer::{Buffer, Slots};
pub use check::ShapeError;
pub use cost::Cost;
pub use executor::{ExecError, Executor, LocalFuture, Stats};
pub use op::{AttentionShape, NO_FACTORS, Op, Operator, RowEntry, UnknownOperator};
pub use uses::Uses;
pub use weight::{Weight, WeightSpec};
