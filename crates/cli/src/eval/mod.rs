//! `atman eval`: how well explanations find the answers to questions about a text, or what questions about a picture are about.

mod about_image;
mod about_text;
mod data;
mod greying;
mod mask;
mod measure;
mod method;
mod part;
mod table;

use crate::args::EvalArguments;
use crate::batch::BAD_LINES;
use crate::engine::{self, Engine};
use crate::interrupt::{self, Interrupt};
use crate::jsonl::Journal;
use crate::progress::Progress;
use crate::say;
use anyhow::{Context, Result, bail};
use data::{Data, Example};
use measure::{Measured, Measuring};
use method::Method;
use std::collections::HashMap;
use std::io::Write;
use std::process::ExitCode;
use table::{Accuracy, Summary};

/// Evaluates, and writes the tables. The summary goes to stdout too.
pub(crate) fn run(arguments: &EvalArguments) -> Result<ExitCode> {
    let interrupt = Interrupt::install()?;
    let data = Data::open(arguments)?;
    let methods = Method::all(arguments, data.kind)?;
    let opened = engine::open(arguments.engine.model.as_deref())?;
    let selection = data.select(arguments, &opened)?;
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
        say::warn(format_args!("{foreign} lines of {} are no results of this command and are left alone", results.display()));
    }
    // The examples that are counted, with their keys.
    let mut counted: Vec<(&Example, String)> = Vec::new();
    let mut accuracy = Accuracy { only_right: arguments.only_right, ..Accuracy::default() };
    let is_stopped = pollster::block_on(async {
        let mut engine = Engine::load(&opened, arguments.engine.device).await?;
        let info = opened.info(&engine.model)?;
        let model_sha256 = info.sha256.unwrap_or_default();
        interrupt.watch();
        let total = selection.examples.len() * methods.len();
        let mut bar = Progress::of_things("evaluating", "runs", total as u64);
        let mut is_stopped = false;
        for example in &selection.examples {
            let of_example = example.key(&model_sha256);
            let key = |method: &Method| (of_example.clone(), method.to_string());
            let mut todo: Vec<&Method> = methods.iter().filter(|method| !done.contains_key(&key(method))).collect();
            bar.add((methods.len() - todo.len()) as u64);
            let mut right = methods.iter().find_map(|method| done.get(&key(method))?.right);
            let is_left_out = |right: Option<bool>| arguments.only_right && right == Some(false);
            let mut measuring = None;
            if !todo.is_empty() && !is_stopped && !is_left_out(right) {
                let begun = Measuring::begin(example, &selection, &mut engine, arguments.engine.budget()).await?;
                right = begun.is_right();
                measuring = Some(begun);
            }
            accuracy.asked += usize::from(right.is_some());
            accuracy.right += usize::from(right == Some(true));
            if is_left_out(right) {
                bar.add(std::mem::take(&mut todo).len() as u64);
                continue;
            }
            for method in todo {
                let Some(measuring) = measuring.as_mut().filter(|_| !is_stopped) else { break };
                let Some(found) = measuring.measure(method, &mut engine, &interrupt).await? else {
                    is_stopped = true;
                    break;
                };
                let measured = Measured { key: of_example.clone(), method: method.to_string(), ..found };
                journal.add(&measured)?;
                done.insert(measured.key(), measured);
                bar.add(1);
            }
            counted.push((example, of_example));
        }
        anyhow::Ok(is_stopped)
    })?;
    if counted.is_empty() {
        bail!("the model answers none of {} questions as the data do, so that nothing is left to measure", accuracy.asked);
    }
    let accuracy = (accuracy.asked > 0).then_some(accuracy);
    let (examples, keys): (Vec<&Example>, Vec<String>) = counted.into_iter().unzip();
    let summary = Summary::new(data.kind, &keys, &methods, &done, accuracy);
    let write = |name: &str, text: &str| {
        let path = arguments.out.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write to {}", path.display()))
    };
    write("summary.md", &summary.markdown())?;
    write("summary.csv", &summary.csv()?)?;
    write("summary.json", &summary.json()?)?;
    write("examples.csv", &summary.examples_csv(&examples)?)?;
    std::io::stdout().write_all(summary.markdown().as_bytes())?;
    Ok(match (is_stopped, selection.bad) {
        (true, _) => ExitCode::from(interrupt::EXIT),
        (false, 0) => ExitCode::SUCCESS,
        (false, _) => ExitCode::from(BAD_LINES),
    })
}
