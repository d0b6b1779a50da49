//! The `atman` command.

mod answer;
mod args;
mod batch;
mod built_in;
mod device;
mod doctor;
mod engine;
mod eval;
mod explain;
mod fetch;
mod generate;
mod interrupt;
mod jsonl;
mod models;
mod name;
mod pictures;
mod progress;
mod prompt;
mod region;
mod store;
mod suppress;

use anyhow::Result;
use args::{Arguments, Command};
use clap::Parser;
use std::process::ExitCode;
use weights::text;

/// `atman --help` states what the process ends with.
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.command) {
        Ok(code) => code,
        // `atman models | head` is no failure.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => match error.downcast::<clap::Error>() {
            // Ends with 2, as for what clap finds itself.
            Ok(usage) => usage.exit(),
            Err(error) => {
                eprintln!("atman: {error:#}");
                ExitCode::FAILURE
            }
        },
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Fetch(arguments) => fetch::run(&arguments)?,
        Command::Models => models::run()?,
        Command::Doctor(arguments) => doctor::run(&arguments)?,
        Command::Explain(arguments) => return explain::run(&arguments),
        Command::Batch(arguments) => return batch::run(&arguments),
        Command::Eval(arguments) => return eval::run(&arguments),
        Command::Generate(arguments) => return generate::run(&arguments),
    }
    Ok(ExitCode::SUCCESS)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>()).any(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}
