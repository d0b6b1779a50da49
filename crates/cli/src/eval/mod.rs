//! `atman eval`: how well explanations find the answers to questions about a text, or what questions about a picture are about.

mod about_image;
mod about_text;
mod column;
mod data;
mod greying;
mod mask;
mod measure;
mod method;
mod part;
mod results;
mod right;
mod summary;
mod table;

use crate::args::{EvalArguments, usage_error};
use crate::batch::BAD_LINES;
use crate::engine::{self, Engine};
use crate::interrupt::{self, Interrupt};
use crate::made_by::MadeBy;
use crate::progress::Progress;
use anyhow::{Context, Result, bail};
use data::{Data, Example};
use measure::{Measured, Measuring};
use method::Method;
use results::Results;
use serde_json::json;
use std::io::Write;
use std::process::ExitCode;
use summary::{Accuracy, Summary};

/// Evaluates, and writes the tables. The summary goes to stdout too.
pub(crate) fn run(arguments: &EvalArguments) -> Result<ExitCode> {
    let interrupt = Interrupt::install()?;
    let data = Data::open(arguments)?;
    let methods = Method::all(arguments, data.kind)?;
    let names: Vec<String> = methods.iter().map(Method::to_string).collect();
    let against = place_of(arguments.against.as_deref(), &names)?;
    let opened = engine::open(arguments.engine.model.as_deref())?;
    let selection = data.select(arguments, &opened)?;
    std::fs::create_dir_all(&arguments.out).with_context(|| format!("cannot make the folder {}", arguments.out.display()))?;
    let mut results = Results::open(&arguments.out.join("results.jsonl"))?;
    // The examples that are counted, with what makes their results.
    let mut counted: Vec<(&Example, MadeBy)> = Vec::new();
    let mut accuracy = Accuracy { only_right: arguments.only_right, ..Accuracy::default() };
    let is_stopped = pollster::block_on(async {
        let mut engine = Engine::load(&opened, arguments.engine.device).await?;
        let model_sha256 = opened.info(&engine.model)?.sha256.unwrap_or_default();
        // Seconds are the device's.
        let settings = json!({"device": engine.executor.describe()});
        let made_by = |example: &Example| MadeBy::now(model_sha256.clone(), settings.clone(), example.pictures_sha256.clone());
        let all: Vec<(&Example, MadeBy)> = selection.examples.iter().map(|example| (example, made_by(example))).collect();
        results.tell_others(all.iter().map(|(example, made_by)| (example.sha256.as_str(), made_by)), &names);
        interrupt.watch();
        let mut bar = Progress::of_things("evaluating", "runs", (all.len() * methods.len()) as u64);
        let mut is_stopped = false;
        for (example, made_by) in all {
            let known = |name: &String| results.get(&example.sha256, name, &made_by);
            let mut right = names.iter().find_map(known).map(|measured| measured.right);
            let mut todo: Vec<(&Method, &String)> =
                methods.iter().zip(&names).filter(|(_, name)| known(name).is_none()).collect();
            bar.add((methods.len() - todo.len()) as u64);
            let is_left_out = |right: Option<bool>| arguments.only_right && right == Some(false);
            let mut measuring = None;
            if !todo.is_empty() && !is_stopped && !is_left_out(right) {
                let begun = Measuring::begin(example, &selection, &mut engine, arguments.engine.budget()).await?;
                right = Some(begun.is_right());
                measuring = Some(begun);
            }
            accuracy.asked += usize::from(right.is_some());
            accuracy.right += usize::from(right == Some(true));
            if is_left_out(right) {
                bar.add(std::mem::take(&mut todo).len() as u64);
                continue;
            }
            for (method, name) in todo {
                let Some(measuring) = measuring.as_ref().filter(|_| !is_stopped) else { break };
                let Some(found) = measuring.measure(method, &mut engine, &interrupt).await? else {
                    is_stopped = true;
                    break;
                };
                let (key, method, made_by) = (example.sha256.clone(), name.clone(), made_by.clone());
                results.add(Measured { key, method, made_by, ..found })?;
                bar.add(1);
            }
            counted.push((example, made_by));
        }
        anyhow::Ok(is_stopped)
    })?;
    if counted.is_empty() {
        bail!("the model answers none of {} questions rightly, so that nothing is left to measure", accuracy.asked);
    }
    let of_method = |name: String| {
        let measured = |(example, made_by): &(&Example, MadeBy)| results.get(&example.sha256, &name, made_by).cloned();
        let measured = counted.iter().map(measured).collect();
        (name, measured)
    };
    let summary = Summary::new(data.kind, names.into_iter().map(of_method).collect(), against, accuracy);
    let examples: Vec<&Example> = counted.iter().map(|(example, _)| *example).collect();
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

/// Which of the methods is compared with: the one that is named, or the first.
fn place_of(named: Option<&str>, names: &[String]) -> Result<usize> {
    let Some(named) = named else { return Ok(0) };
    let found = names.iter().position(|name| name == named);
    found.ok_or_else(|| usage_error(format!("--against {named} is none of the methods, which are: {}", names.join("; "))))
}
