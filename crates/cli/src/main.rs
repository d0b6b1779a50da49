//! The `atman` command.

mod answer;
mod args;
mod batch;
mod built_in;
mod device;
mod doctor;
mod documents;
mod engine;
mod eval;
mod explain;
mod fetch;
mod generate;
mod hashes;
mod interrupt;
mod jsonl;
mod made_by;
mod models;
mod name;
mod pictures;
mod progress;
mod prompt;
mod region;
mod say;
mod store;
mod suppress;
mod text_file;
mod writing;

use anyhow::Result;
use args::{Arguments, Color, Command};
use clap::Parser;
use std::process::ExitCode;
use weights::text;

/// `atman --help` states what the process ends with.
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    say::set_quiet(arguments.global.quiet);
    match run(arguments.command, arguments.global.color) {
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

fn run(command: Command, color: Color) -> Result<ExitCode> {
    match command {
        Command::Fetch(arguments) => fetch::run(&arguments)?,
        Command::Models(arguments) => models::run(&arguments)?,
        Command::Doctor(arguments) => doctor::run(&arguments)?,
        Command::Completions(arguments) => documents::completions(&arguments)?,
        Command::Man(arguments) => documents::man(&arguments)?,
        Command::Explain(arguments) => return explain::run(&arguments, color),
        Command::Batch(arguments) => return batch::run(&arguments),
        Command::Eval(arguments) => return eval::run(&arguments),
        Command::Generate(arguments) => return generate::run(&arguments),
    }
    Ok(ExitCode::SUCCESS)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>()).any(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}
