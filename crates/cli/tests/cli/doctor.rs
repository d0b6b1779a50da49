//! `atman doctor` on the machine that runs the tests, whatever it has.

use crate::world::{Outcome, atman};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn the_report_is_consistent_with_itself() {
    let outcome = Outcome::of(atman(&["doctor", "--json"]).output().unwrap());
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert!(report["cpu"]["threads"].as_u64().unwrap() >= 1);
    let adapters = report["adapters"].as_array().unwrap();
    for adapter in adapters {
        let test = &adapter["self_test"];
        assert_eq!(test["passed"].as_bool().unwrap(), test["failure"].is_null(), "{adapter}");
        let checks = test["checks"].as_array().unwrap();
        assert!(checks.iter().all(|check| check["deviation"].as_f64() <= check["bound"].as_f64()), "{adapter}");
        assert_eq!(test["passed"].as_bool().unwrap(), !checks.is_empty(), "{adapter}");
    }
    let auto = &report["auto"];
    match auto["device"].as_str().unwrap() {
        "cpu" => assert!(auto["adapter"].is_null() && auto["reason"].as_str().unwrap().starts_with("CPU: ")),
        "gpu" => {
            let adapter = &adapters[auto["adapter"].as_u64().unwrap() as usize];
            assert_eq!(adapter["is_software"], false, "auto never takes a software adapter");
            assert_eq!(adapter["self_test"]["passed"], true, "auto never takes a device that computes wrong numbers");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn people_are_told_the_same() {
    let outcome = Outcome::of(atman(&["doctor"]).output().unwrap());
    assert_eq!(outcome.code, 0, "{outcome:?}");
    for told in ["\nCPU: ", "\nGPU adapter", "\n--device auto takes ", "\nModels in "] {
        assert!(outcome.stdout.contains(told), "{told} in {outcome:?}");
    }
}

/// A Vulkan driver whose first function is `body`, as the loader is told of it.
#[cfg(target_os = "linux")]
fn driver(folder: &Path, body: &str) -> PathBuf {
    let code = format!(
        "#[unsafe(no_mangle)] pub extern \"C\" fn vk_icdNegotiateLoaderICDInterfaceVersion(_: *mut u32) -> i32 {{ {body} }}
         #[unsafe(no_mangle)] pub extern \"C\" fn vk_icdGetInstanceProcAddr(_: *mut (), _: *const i8) -> *const () {{ std::ptr::null() }}"
    );
    let [source, library, icd] = ["driver.rs", "libdriver.so", "driver.json"].map(|name| folder.join(name));
    std::fs::write(&source, code).unwrap();
    let mut rustc = Command::new(std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned()));
    let rustc = rustc.args(["--edition", "2024", "--crate-type", "cdylib", "-o"]).arg(&library).arg(&source);
    assert!(rustc.status().unwrap().success());
    let about = serde_json::json!({"file_format_version": "1.0.0", "ICD": {"library_path": library, "api_version": "1.3.0"}});
    std::fs::write(&icd, about.to_string()).unwrap();
    icd
}

#[cfg(target_os = "linux")]
#[test]
fn a_driver_that_crashes_or_hangs_is_a_finding() {
    for (body, became) in [
        ("std::process::abort()", "a driver ended the process that examined it (signal: 6"),
        ("loop { std::thread::sleep(std::time::Duration::from_secs(1)) }", "a driver did not answer within 2 s"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let icd = driver(folder.path(), body);
        let doctor = |more: &[&str]| {
            let mut doctor = atman(&[&["doctor", "--driver-timeout", "2"], more].concat());
            let doctor = doctor.env("VK_ICD_FILENAMES", &icd).env("VK_DRIVER_FILES", &icd);
            let outcome = Outcome::of(doctor.output().unwrap());
            assert_eq!(outcome.code, 0, "{outcome:?}");
            outcome.stdout
        };
        let text = doctor(&[]);
        for told in ["\nCPU: ", "\nGPU adapters: FAILED: looking for them, a driver ", became, "\nModels in "] {
            assert!(text.contains(told), "{told} in {text}");
        }
        let report: Value = serde_json::from_str(&doctor(&["--json"])).unwrap();
        assert!(report["no_adapters"].as_str().unwrap().starts_with(became), "{report}");
        assert_eq!(report["auto"]["device"], "none");
        // What needs no GPU goes on as it is told to.
        let mut generate = atman(&["generate", "--device", "cpu", "--prompt", "Tom has a dog. What pet does Tom have?"]);
        let generate = generate.env("VK_ICD_FILENAMES", &icd).env("VK_DRIVER_FILES", &icd);
        assert_eq!(Outcome::of(generate.output().unwrap()).code, 0);
    }
}
