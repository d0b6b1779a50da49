//! `atman batch`: many explanations, one a line.

mod input;
mod line;
mod maker;
mod output;

use crate::args::{BatchArguments, usage_error};
use crate::engine::{self, Engine};
use crate::explain::{self, is_about_the_question};
use crate::interrupt::{self, Interrupt};
use crate::made_by::MadeBy;
use crate::progress::Progress;
use crate::say;
use anyhow::Result;
use input::Input;
use line::{BadLine, Line};
use maker::Maker;
use output::{Answer, Output};
use report::{Document, ModelInfo};
use serde_json::Value;
use std::path::Path;
use std::process::ExitCode;

/// Exit status where some lines could not be explained.
pub(crate) const BAD_LINES: u8 = 3;

/// Explains all lines that are not in the output yet: those of a file, or those of stdin as they come.
pub(crate) fn run(arguments: &BatchArguments) -> Result<ExitCode> {
    let interrupt = Interrupt::install()?;
    let mut input = Input::open(&arguments.input)?;
    if let (Ok(read), Ok(written)) = (arguments.input.canonicalize(), arguments.out.canonicalize())
        && read == written
    {
        return Err(usage_error("--in and --out are the same file"));
    }
    let mut output = Output::open(&arguments.out)?;
    let opened = engine::open(arguments.engine.model.as_deref())?;
    let maker = Maker::new(arguments, &opened, input.folder.clone())?;
    // What does not fit is told before the model has worked for the rest.
    input.leave_out_done(&output, &maker)?;
    if output.n_done() > 0 {
        say::note(format_args!("{} lines are in {} already", output.n_done(), arguments.out.display()));
    }
    let n_lines = input.n_lines();
    if n_lines == Some(0) {
        return Ok(ExitCode::SUCCESS);
    }
    pollster::block_on(async {
        let mut engine = Engine::load(&opened, arguments.engine.device).await?;
        let info = opened.info(&engine.model)?;
        let mut bar = n_lines.map(|n_lines| Progress::of_things("explaining", "lines", n_lines as u64));
        let (mut asked, mut bad) = (0, 0);
        loop {
            // While it waits for a line everything is written, and Ctrl-C may end it at once.
            interrupt.unwatch();
            let Some(given) = input.next()? else { break };
            interrupt.watch();
            if output.has(&given, &input.name, &maker)? {
                continue;
            }
            asked += 1;
            match explain_line(arguments, &mut engine, &info, &given.text, &input.folder, &maker, &interrupt).await {
                Ok(None) => return Ok(ExitCode::from(interrupt::EXIT)),
                Ok(Some((id, made_by, explanation))) => {
                    let (line, input_sha256) = (given.number, given.sha256.as_str());
                    output.add(&Answer { line, id: &id, input_sha256, made_by: &made_by, explanation: &explanation })?;
                }
                Err(error) if error.downcast_ref::<BadLine>().is_some() || is_about_the_question(&error) => {
                    bad += 1;
                    say::warn(format_args!("line {} of {} is left out: {error:#}", given.number, input.name));
                }
                Err(error) => return Err(error),
            }
            if let Some(bar) = &mut bar {
                bar.add(1);
            }
        }
        drop(bar);
        if bad > 0 {
            say::warn(format_args!("{bad} of {asked} lines were left out; mend them and start again"));
            return Ok(ExitCode::from(BAD_LINES));
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Explains one line, whose pictures lie in `folder`; nothing if it was stopped.
async fn explain_line(
    arguments: &BatchArguments,
    engine: &mut Engine<'_>,
    info: &ModelInfo,
    line: &str,
    folder: &Path,
    maker: &Maker<'_>,
    interrupt: &Interrupt,
) -> Result<Option<(Value, MadeBy, Document)>> {
    let line = Line::read(line)?;
    let (id, made_by) = (line.id.clone(), maker.made_by(&line)?);
    let request = line.request(arguments, engine.opened, folder)?;
    let document = explain::explain(engine, info, request, interrupt, &mut |_, _| ()).await?;
    Ok(document.filter(|document| !document.explanation.partial).map(|document| (id, made_by, document)))
}
