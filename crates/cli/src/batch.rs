//! `atman batch`: many explanations, one a line.

use crate::args::BatchArguments;
use crate::engine::{self, Engine, Opened};
use crate::explain::{self, Asked, Request, is_about_the_question};
use crate::fetch::sha256_of;
use crate::interrupt::{self, Interrupt};
use crate::jsonl::{Journal, lines};
use crate::pictures::{self, Picture};
use crate::progress::Progress;
use crate::prompt;
use anyhow::{Context, Result, bail};
use atman::Text;
use report::{Document, ModelInfo};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Exit status where some lines could not be explained.
pub(crate) const BAD_LINES: u8 = 3;

/// A line of the input.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default)]
    id: Value,
    prompt: Option<String>,
    prompt_ids: Option<Vec<u32>>,
    chat: Option<bool>,
    system: Option<String>,
    target: Option<String>,
    target_ids: Option<Vec<u32>>,
    #[serde(default)]
    contrast: Vec<String>,
    span: Option<String>,
    image: Option<PathBuf>,
    images: Option<Vec<PathBuf>>,
}

/// A line of the output.
#[derive(Serialize)]
struct Answer<'a> {
    line: usize,
    id: &'a Value,
    input_sha256: &'a str,
    explanation: &'a Document,
}

/// Explains all lines that are not in the output yet.
pub(crate) fn run(arguments: &BatchArguments) -> Result<ExitCode> {
    let interrupt = Interrupt::install()?;
    let input =
        std::fs::read_to_string(&arguments.input).with_context(|| format!("cannot read {}", arguments.input.display()))?;
    let is_same = std::fs::canonicalize(&arguments.out).ok() == std::fs::canonicalize(&arguments.input).ok();
    if is_same {
        return Err(crate::args::usage_error("--in and --out are the same file"));
    }
    let (done, mut journal) = open_output(arguments)?;
    let todo: Vec<(usize, &str, String)> = lines(&input)
        .map(|(number, line)| (number, line, sha256_of(line.as_bytes())))
        .filter_map(|(number, line, hash)| match done.get(&number) {
            None => Some(Ok((number, line, hash))),
            Some(of) if *of == hash => None,
            Some(_) => Some(Err(number)),
        })
        .collect::<Result<_, usize>>()
        .map_err(|number| {
            anyhow::anyhow!(
                "line {number} of {} is another one than {} was made from; name another --out",
                arguments.input.display(),
                arguments.out.display()
            )
        })?;
    if !done.is_empty() {
        eprintln!("{} lines are in {} already", done.len(), arguments.out.display());
    }
    if todo.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let opened = engine::open(arguments.engine.model.as_deref())?;
    pollster::block_on(async {
        let mut engine = Engine::load(&opened, arguments.engine.device).await?;
        let info = opened.info(&engine.model)?;
        interrupt.watch();
        let mut bar = Progress::of_things("explaining", "lines", todo.len() as u64);
        let mut bad = 0;
        for (number, line, hash) in &todo {
            match explain_line(arguments, &mut engine, &info, line, &interrupt).await {
                Ok(None) => return Ok(ExitCode::from(interrupt::EXIT)),
                Ok(Some((id, document))) => {
                    journal.add(&Answer { line: *number, id: &id, input_sha256: hash, explanation: &document })?;
                }
                Err(error) if error.downcast_ref::<BadLine>().is_some() || is_about_the_question(&error) => {
                    bad += 1;
                    eprintln!("line {number} of {} is left out: {error:#}", arguments.input.display());
                }
                Err(error) => return Err(error),
            }
            bar.add(1);
        }
        drop(bar);
        if bad > 0 {
            eprintln!("{bad} of {} lines were left out; mend them and start again", todo.len());
            return Ok(ExitCode::from(BAD_LINES));
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// The numbers and hashes of lines that are done, and the file to add to.
fn open_output(arguments: &BatchArguments) -> Result<(HashMap<usize, String>, Journal)> {
    let mut done = HashMap::new();
    let mut is_foreign = false;
    let journal = Journal::open(&arguments.out, |answer| {
        match (answer["line"].as_u64().and_then(|line| usize::try_from(line).ok()), answer["input_sha256"].as_str()) {
            (Some(line), Some(hash)) => {
                done.insert(line, hash.to_owned());
            }
            _ => is_foreign = true,
        }
    })?;
    if is_foreign {
        bail!("{} holds lines that are no explanations of this command; name another --out", arguments.out.display());
    }
    Ok((done, journal))
}

/// What is wrong with a line, as opposed to with the machine.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct BadLine(String);

/// Explains one line; nothing if it was stopped.
async fn explain_line(
    arguments: &BatchArguments,
    engine: &mut Engine<'_>,
    info: &ModelInfo,
    line: &str,
    interrupt: &Interrupt,
) -> Result<Option<(Value, Document)>> {
    let line: Line = serde_json::from_str(line).map_err(|error| BadLine(error.to_string()))?;
    let id = line.id.clone();
    let request = request(arguments, engine.opened, line)?;
    let mut is_stopped = false;
    let mut after_chunk = |_: &_, _: &Engine<'_>| {
        is_stopped = interrupt.is_asked();
        if is_stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let document = explain::explain(engine, info, request, &mut after_chunk).await?;
    Ok((!is_stopped).then_some((id, document)))
}

fn request(arguments: &BatchArguments, opened: &Opened, line: Line) -> Result<Request> {
    let tokenizer = opened.checkpoint.tokenizer()?;
    let bad = |what: &str| BadLine(what.to_owned());
    let bad_line = |error: anyhow::Error| BadLine(format!("{error:#}"));
    let paths = match (line.image, line.images) {
        (None, paths) => paths.unwrap_or_default(),
        (Some(path), None) => vec![path],
        (Some(_), Some(_)) => return Err(bad("expected at most one of \"image\" and \"images\"").into()),
    };
    if !paths.is_empty() {
        pictures::check(opened, "\"image\"").map_err(bad_line)?;
    }
    let folder = arguments.input.parent().unwrap_or(Path::new(""));
    let pictures: Vec<Picture> =
        paths.iter().map(|path| Picture::read(&folder.join(path))).collect::<Result<_>>().map_err(bad_line)?;
    let prompt = match (line.prompt, line.prompt_ids) {
        (Some(text), None) => {
            let is_chat = prompt::is_chat(line.chat, pictures.len(), opened);
            if line.system.is_some() && !is_chat {
                return Err(bad("\"system\" needs \"chat\": true").into());
            }
            let put = prompt::put(&text, line.system.as_deref(), is_chat, pictures.len(), opened);
            Asked::Written(put.map_err(|error| bad_line(error.into()))?)
        }
        (None, Some(ids)) if line.chat != Some(true) => Asked::Tokens(Text::from_ids(tokenizer, &ids)),
        (None, Some(_)) => return Err(bad("\"prompt_ids\" cannot be put into a chat template; leave out \"chat\"").into()),
        _ => return Err(bad("expected either \"prompt\" or \"prompt_ids\"").into()),
    };
    let target = match (line.target, line.target_ids) {
        (Some(text), None) => Some(prompt.answer(&text, tokenizer)?),
        (None, Some(ids)) => Some(Text::from_ids(tokenizer, &ids)),
        (None, None) => None,
        _ => return Err(bad("expected at most one of \"target\" and \"target_ids\"").into()),
    };
    let contrasts = line.contrast.iter().map(|text| prompt.answer(text, tokenizer)).collect::<Result<_, _>>()?;
    let settings = arguments.settings.settings(opened.config.n_layers, pictures.len())?;
    Ok(Request {
        prompt,
        pictures,
        target,
        max_tokens: arguments.max_tokens,
        contrasts,
        span: line.span,
        settings,
        budget: arguments.engine.budget(),
    })
}
