//! Pipelines and bind groups, each made once.

use crate::device::{Attempt, Device, Guarded};
use crate::program::{Access, PARAM_WORDS, Program, storage_bindings};
use kernels::ExecError;
use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::Arc;

/// Bind groups kept; past this many all are dropped, for they are cheap to make again.
const MAX_BIND_GROUPS: usize = 4096;

/// A compiled program.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) raw: wgpu::ComputePipeline,
    layout: Arc<Layout>,
}

#[derive(Debug)]
struct Layout {
    raw: wgpu::BindGroupLayout,
    accesses: Vec<Access>,
}

#[derive(Debug, Default)]
pub(crate) struct Pipelines {
    made: HashMap<Program, Pipeline>,
    layouts: HashMap<Vec<Access>, Arc<Layout>>,
    bind_groups: HashMap<(Vec<Access>, Vec<u64>), wgpu::BindGroup>,
}

impl Pipelines {
    pub(crate) fn has(&self, program: Program) -> bool {
        self.made.contains_key(&program)
    }

    /// The program, compiled if it was not yet.
    pub(crate) fn get(&mut self, device: &mut Device, program: Program) -> Result<Pipeline, ExecError> {
        if let Some(pipeline) = self.made.get(&program) {
            return Ok(pipeline.clone());
        }
        let source = program.source();
        let label = program.label();
        let layout = self.layout(device, storage_bindings(&source))?;
        let constants = program.constants();
        let attempt = || Attempt { purpose: format!("making the pipeline {label}"), ..Attempt::default() };
        let raw = device.guarded(Guarded::Pipeline, attempt, |device, _| {
            let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(&label),
                source: wgpu::ShaderSource::Wgsl(source.into()),
            });
            let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(&label),
                bind_group_layouts: &[Some(&layout.raw)],
                immediate_size: 0,
            });
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(&label),
                layout: Some(&pipeline_layout),
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &constants,
                    // Every kernel writes its workgroup memory before it reads it; zeroing it first only costs time.
                    zero_initialize_workgroup_memory: false,
                },
                cache: None,
            })
        })?;
        let pipeline = Pipeline { raw, layout };
        self.made.insert(program, pipeline.clone());
        Ok(pipeline)
    }

    fn layout(&mut self, device: &mut Device, accesses: Vec<Access>) -> Result<Arc<Layout>, ExecError> {
        if let Some(layout) = self.layouts.get(&accesses) {
            return Ok(layout.clone());
        }
        let entry = |binding: usize, ty, has_dynamic_offset| wgpu::BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset, min_binding_size: None },
            count: None,
        };
        let mut entries = vec![entry(0, wgpu::BufferBindingType::Uniform, true)];
        entries.extend(
            accesses
                .iter()
                .enumerate()
                .map(|(i, access)| entry(i + 1, wgpu::BufferBindingType::Storage { read_only: *access == Access::Read }, false)),
        );
        let attempt = || Attempt { purpose: "making a bind group layout".to_owned(), ..Attempt::default() };
        let raw = device.guarded(Guarded::Pipeline, attempt, |device, _| {
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries })
        })?;
        let layout = Arc::new(Layout { raw, accesses: accesses.clone() });
        self.layouts.insert(accesses, layout.clone());
        Ok(layout)
    }

    /// The operands bound for the pipeline, behind `params` with a dynamic offset. Each comes with its unique number. To be
    /// called within error scopes.
    pub(crate) fn bind(
        &mut self,
        device: &wgpu::Device,
        pipeline: &Pipeline,
        params: &wgpu::Buffer,
        operands: &[(wgpu::Buffer, u64)],
    ) -> wgpu::BindGroup {
        let key = (pipeline.layout.accesses.clone(), operands.iter().map(|(_, unique)| *unique).collect());
        if let Some(bound) = self.bind_groups.get(&key) {
            return bound.clone();
        }
        let slot = wgpu::BufferBinding { buffer: params, offset: 0, size: NonZeroU64::new(4 * PARAM_WORDS as u64) };
        let mut entries = vec![wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(slot) }];
        entries.extend(
            operands
                .iter()
                .enumerate()
                .map(|(i, (buffer, _))| wgpu::BindGroupEntry { binding: i as u32 + 1, resource: buffer.as_entire_binding() }),
        );
        let layout = &pipeline.layout.raw;
        let bound = device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries });
        if self.bind_groups.len() >= MAX_BIND_GROUPS {
            self.bind_groups.clear();
        }
        self.bind_groups.insert(key, bound.clone());
        bound
    }

    /// Drops the bind groups of buffers that are gone, which would otherwise keep their memory.
    pub(crate) fn forget(&mut self, gone: &[u64]) {
        if !gone.is_empty() {
            self.bind_groups.retain(|(_, uniques), _| !uniques.iter().any(|unique| gone.contains(unique)));
        }
    }
}
