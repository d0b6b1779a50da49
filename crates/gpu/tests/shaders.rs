//! Every program as the executor would make it, checked without a device against what WebGPU guarantees everywhere.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test states what it expects by unwrapping it")]

use gpu::{Access, Program, storage_bindings};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, StorageAccess};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// WebGPU's default limits.
const STORAGE_BUFFERS: usize = 8;
const WORKGROUP_BYTES: u32 = 16 << 10;
const INVOCATIONS: u32 = 256;
/// Bytes of uniform parameters that the executor writes for a dispatch.
const PARAM_BYTES: u32 = 64;

fn parsed(program: Program) -> naga::Module {
    let source = program.source();
    naga::front::wgsl::parse_str(&source).unwrap_or_else(|error| panic!("{}: {}", program.label(), error.emit_to_string(&source)))
}

/// The module with its `override` constants at the values that the executor gives them.
fn specialised(program: Program) -> (naga::Module, naga::valid::ModuleInfo) {
    let module = parsed(program);
    // Packing of halves is part of WGSL itself; naga names it because OpenGL lacks it.
    let baseline = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    let mut validator = Validator::new(ValidationFlags::all(), baseline);
    let info = validator
        .validate(&module)
        .unwrap_or_else(|error| panic!("{}: {}", program.label(), error.emit_to_string(&program.source())));
    let constants = program.constants().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let (module, info) =
        naga::back::pipeline_constants::process_overrides(&module, &info, Some((naga::ShaderStage::Compute, "main")), &constants)
            .unwrap_or_else(|error| panic!("{}: {error}", program.label()));
    (module.into_owned(), info.into_owned())
}

#[test]
fn every_program_is_valid_within_webgpus_baseline() {
    let programs = Program::all();
    assert!(programs.len() > 100);
    for program in programs {
        let label = program.label();
        let (module, _) = specialised(program);
        let [entry] = module.entry_points.as_slice() else { panic!("{label}: not one entry point") };
        assert_eq!(entry.name, "main", "{label}");
        let invocations: u32 = entry.workgroup_size.iter().product();
        assert!(invocations <= INVOCATIONS, "{label}: {invocations} invocations");

        let mut layouter = naga::proc::Layouter::default();
        layouter.update(module.to_ctx()).unwrap();
        let mut workgroup_bytes = 0;
        let mut storage = BTreeMap::new();
        for (_, variable) in module.global_variables.iter() {
            let bytes = layouter[variable.ty].size;
            match variable.space {
                AddressSpace::WorkGroup => workgroup_bytes += bytes,
                AddressSpace::Uniform => {
                    assert!(bytes <= PARAM_BYTES, "{label}: {bytes} bytes of parameters");
                    assert_eq!(variable.binding, Some(naga::ResourceBinding { group: 0, binding: 0 }), "{label}");
                }
                AddressSpace::Storage { access } => {
                    let binding = variable.binding.unwrap();
                    assert_eq!(binding.group, 0, "{label}");
                    let writes = access.contains(StorageAccess::STORE);
                    let access = if writes { Access::ReadWrite } else { Access::Read };
                    assert!(storage.insert(binding.binding, access).is_none(), "{label}: binding {} twice", binding.binding);
                }
                space => panic!("{label}: {space:?}"),
            }
        }
        assert!(workgroup_bytes <= WORKGROUP_BYTES, "{label}: {workgroup_bytes} bytes of workgroup memory");
        assert!(storage.len() <= STORAGE_BUFFERS, "{label}: {} storage buffers", storage.len());
        // The executor binds them in order from 1, with the access that it reads from the text.
        assert!(storage.keys().copied().eq(1..=storage.len() as u32), "{label}: {storage:?}");
        assert_eq!(storage.into_values().collect::<Vec<_>>(), storage_bindings(&program.source()), "{label}");
    }
}

/// What drivers are given: SPIR-V for Vulkan, MSL for Metal and HLSL for DirectX 12, as wgpu has naga write them.
#[test]
fn every_program_translates_to_what_drivers_take() {
    use naga::back::{hlsl, msl, spv};
    use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
    for program in Program::all() {
        let label = program.label();
        let (module, info) = specialised(program);
        let bounds_check_policies =
            BoundsCheckPolicies { index: BoundsCheckPolicy::Restrict, buffer: BoundsCheckPolicy::Restrict, ..Default::default() };
        let storage: Vec<u32> = (1..=storage_bindings(&program.source()).len() as u32).collect();

        let options = spv::Options { bounds_check_policies, ..spv::Options::default() };
        let entry = spv::PipelineOptions { shader_stage: naga::ShaderStage::Compute, entry_point: "main".to_owned() };
        let words =
            spv::write_vec(&module, &info, &options, Some(&entry)).unwrap_or_else(|error| panic!("{label}: SPIR-V: {error}"));
        assert_eq!(words.first(), Some(&0x0723_0203), "{label}");

        // Binding 0 is the parameters; Metal is told the sizes of the others.
        let mut resources = msl::BindingMap::default();
        for binding in 0..=storage.len() as u32 {
            let target = msl::BindTarget { buffer: Some(binding as u8), mutable: binding > 0, ..msl::BindTarget::default() };
            resources.insert(naga::ResourceBinding { group: 0, binding }, target);
        }
        let of_entry = msl::EntryPointResources { resources, sizes_buffer: Some(30), ..msl::EntryPointResources::default() };
        let options = msl::Options {
            lang_version: (2, 3),
            per_entry_point_map: [("main".to_owned(), of_entry)].into(),
            bounds_check_policies,
            fake_missing_bindings: false,
            ..msl::Options::default()
        };
        let pipeline = msl::PipelineOptions {
            entry_point: Some((naga::ShaderStage::Compute, "main".to_owned())),
            ..msl::PipelineOptions::default()
        };
        let (text, translated) =
            msl::write_string(&module, &info, &options, &pipeline).unwrap_or_else(|error| panic!("{label}: MSL: {error}"));
        assert!(text.contains("kernel void"), "{label}: {text}");
        for name in translated.entry_point_names {
            name.unwrap_or_else(|error| panic!("{label}: MSL: {error}"));
        }

        let mut text = String::new();
        let options = hlsl::Options { shader_model: hlsl::ShaderModel::V6_0, ..hlsl::Options::default() };
        let pipeline = hlsl::PipelineOptions { entry_point: Some((naga::ShaderStage::Compute, "main".to_owned())) };
        let translated = hlsl::Writer::new(&mut text, &options, &pipeline)
            .write(&module, &info, None)
            .unwrap_or_else(|error| panic!("{label}: HLSL: {error}"));
        for name in translated.entry_point_names {
            name.unwrap_or_else(|error| panic!("{label}: HLSL: {error}"));
        }
        assert!(text.contains("numthreads"), "{label}: {text}");
    }
}

/// What WGSL forbids or leaves open although naga lets it pass, as patterns of the shaders' text.
#[test]
fn no_shader_relies_on_what_browsers_refuse() {
    for (name, text) in shader_files() {
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let place = format!("{name}:{}: {line}", number + 1);
            assert!(!code.contains("enable ") && !code.contains("requires "), "an optional feature in {place}");
            assert!(!code.contains("tanh("), "tanh overflows on some drivers, in {place}");
            assert!(!code.contains("ptr<workgroup"), "a pointer that naga refuses, in {place}");
            assert!(!code.contains("bitcast<f32>(0x"), "a constant that may be no number, in {place}");
            assert!(!code.contains("unpack4x") && !code.contains("dot4"), "a language extension in {place}");
        }
    }
}

/// The first line of a shader says what it computes, and every binding's line says the shape.
#[test]
fn every_shader_opens_with_its_formula_and_states_its_shapes() {
    for (name, text) in shader_files() {
        assert!(text.starts_with("// "), "{name} does not begin with what it computes");
        for line in text.lines().filter(|line| line.contains("var<storage")) {
            assert!(line.contains("; // "), "{name}: no shape beside {line}");
        }
    }
}

/// Every file is part of a program and stands in the table of shaders/README.md, which names no others.
#[test]
fn the_table_of_shaders_is_complete() {
    let files: BTreeSet<String> = shader_files().into_iter().map(|(name, _)| name).collect();
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let listed: BTreeSet<String> =
        readme.split('`').skip(1).step_by(2).filter(|word| word.ends_with(".wgsl")).map(str::to_owned).collect();
    assert_eq!(listed, files);
    let sources: Vec<String> = Program::all().into_iter().map(Program::source).collect();
    for (name, text) in shader_files() {
        assert!(sources.iter().any(|source| source.contains(text.trim_end())), "{name} is in no program");
    }
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shaders"))
}

/// Name relative to `shaders/`, and text.
fn shader_files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for (prefix, folder) in
        [("", folder().to_owned()), ("weights/", folder().join("weights")), ("operands/", folder().join("operands"))]
    {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "wgsl") {
                let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
                files.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files
}
