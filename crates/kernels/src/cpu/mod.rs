//! The CPU executor: each shader's twin.
/// The executor that is always there.
pub struct CpuExecutor;
