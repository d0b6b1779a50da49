//! What one device allows, as far as the engine cares.

/// Sizes that the engine keeps to. WebGPU's defaults unless more was asked for, or less forced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest piece of a buffer that a shader can be given.
    pub binding_bytes: u64,
    /// The largest buffer.
    pub buffer_bytes: u64,
    /// Workgroups of a dispatch in each dimension.
    pub workgroups_per_dimension: u32,
}

impl Limits {
    /// What every WebGPU device offers.
    pub const BASELINE: Limits = Limits { binding_bytes: 128 << 20, buffer_bytes: 256 << 20, workgroups_per_dimension: 65_535 };

    pub(crate) fn of(limits: &wgpu::Limits) -> Limits {
        Limits {
            binding_bytes: limits.max_storage_buffer_binding_size,
            buffer_bytes: limits.max_buffer_size,
            workgroups_per_dimension: limits.max_compute_workgroups_per_dimension,
        }
    }

    /// The smaller of each.
    pub(crate) fn least(self, other: Limits) -> Limits {
        Limits {
            binding_bytes: self.binding_bytes.min(other.binding_bytes),
            buffer_bytes: self.buffer_bytes.min(other.buffer_bytes),
            workgroups_per_dimension: self.workgroups_per_dimension.min(other.workgroups_per_dimension),
        }
    }

    /// The largest buffer that can be bound whole.
    pub(crate) fn whole_bytes(self) -> u64 {
        self.binding_bytes.min(self.buffer_bytes)
    }
}
