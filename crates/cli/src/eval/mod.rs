//! `atman eval`: how well explanations find the answers to questions about a text.

mod data;
mod measure;
mod method;
mod table;

use crate::args::EvalArguments;
use crate::batch::BAD_LINES;
use crate::engine::{self, Engine};
use crate::interrupt::{self, Interrupt};
use crate::jsonl::Journal;
use crate::progress::Progress;
use anyhow::{Context, Result};
use measure::{Measured, Measuring};
use method::Method;
use std::collections::HashMap;
use std::io::Write;
use std::process::ExitCode;

/// Evaluates, and writes the tables. The summary goes to stdout too.
pub(crate) fn run(arguments: &EvalArguments) -> Result<ExitCode> {
    let interrupt = Interrupt::install()?;
    let methods = Method::all(arguments)?;
    let opened = engine::open(&arguments.engine.model)?;
    let selection = data::read(arguments, &opened)?;
    std::fs::create_dir_all(&arguments.out).with_context(|| format!("cannot make the folder {}", arguments.out.display()))?;
    let results = arguments.out.join("results.jsonl");
    let mut done: HashMap<(String, String), Measured> = HashMap::new();
    let mut foreign = 0;
    let mut journal = Journal::open(&results, |value| match serde_json::from_value::<Measured>(value) {
        Ok(measured) => {
            done.insert(measured.key(), measured);
        }
        Err(_) => foreign += 1,
    })?;
    if foreign > 0 {
        eprintln!("{foreign} lines of {} are no results of this command and are left alone", results.display());
    }
    let (summary, is_stopped) = pollster::block_on(async {
        let mut engine = Engine::load(&opened, arguments.engine.device).await?;
        let info = opened.info(&engine.model)?;
        let model_sha256 = info.sha256.unwrap_or_default();
        interrupt.watch();
        let total = selection.examples.len() * methods.len();
        let mut bar = Progress::of_things("evaluating", "runs", total as u64);
        let mut is_stopped = false;
        'examples: for example in &selection.examples {
            let key = |method: &Method| (example.key(&model_sha256), method.to_string());
            let todo: Vec<&Method> = methods.iter().filter(|method| !done.contains_key(&key(method))).collect();
            bar.add((methods.len() - todo.len()) as u64);
            if todo.is_empty() {
                continue;
            }
            let mut measuring = Measuring::begin(example, &mut engine, arguments.engine.budget()).await?;
            for method in todo {
                let Some(found) = measuring.measure(method, &mut engine, &interrupt).await? else {
                    is_stopped = true;
                    break 'examples;
                };
                let measured = Measured { key: example.key(&model_sha256), method: method.to_string(), ..found };
                journal.add(&measured)?;
                done.insert(measured.key(), measured);
                bar.add(1);
            }
        }
        drop(bar);
        let of_example = |example: &data::Example| example.key(&model_sha256);
        let keys: Vec<String> = selection.examples.iter().map(of_example).collect();
        anyhow::Ok((table::Summary::new(&keys, &methods, &done), is_stopped))
    })?;
    let write = |name: &str, text: &str| {
        let path = arguments.out.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write to {}", path.display()))
    };
    write("summary.md", &summary.markdown())?;
    write("summary.csv", &summary.csv()?)?;
    write("examples.csv", &summary.examples_csv(&selection.examples)?)?;
    std::io::stdout().write_all(summary.markdown().as_bytes())?;
    Ok(match (is_stopped, selection.bad) {
        (true, _) => ExitCode::from(interrupt::EXIT),
        (false, 0) => ExitCode::SUCCESS,
        (false, _) => ExitCode::from(BAD_LINES),
    })
}
