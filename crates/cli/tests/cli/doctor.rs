//! `atman doctor` on the machine that runs the tests, whatever it has.

use crate::world::{Outcome, atman};
use serde_json::Value;

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
