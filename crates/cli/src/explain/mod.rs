//! `atman explain`: why the model answers a prompt as it does.

mod request;
mod show;

pub(crate) use request::{Asked, Request, explain};

use crate::args::{Color, ExplainArguments};
use crate::engine::{self, Engine, Opened};
use crate::interrupt::{self, Interrupt};
use crate::pictures::{self, Picture};
use crate::progress::Progress;
use crate::prompt::{self, Wording};
use crate::say;
use crate::text;
use anyhow::{Result, bail};
use atman::{AtmanError, Explainer, Question, Text};
use model::ModelError;
use std::process::ExitCode;

/// Explains as asked. The explanation goes to stdout or a file, everything else to stderr.
pub(crate) fn run(arguments: &ExplainArguments, color: Color) -> Result<ExitCode> {
    let interrupt = Interrupt::install()?;
    let destination = show::Destination::of(arguments, color)?;
    let written = match &arguments.prompt_ids {
        Some(_) => None,
        None => Some(prompt::read(&arguments.prompt)?),
    };
    let pictures = pictures::read(&arguments.prompt.image)?;
    let opened = engine::open(arguments.engine.model.as_deref())?;
    // What is wrong with the question is told before the device is opened and the weights are loaded.
    let request = request(arguments, &opened, written, pictures)?;
    pollster::block_on(async {
        let mut engine = Engine::load(&opened, arguments.engine.device).await?;
        let info = opened.info(&engine.model)?;
        interrupt.watch();
        let mut bar: Option<Progress> = None;
        let mut after_chunk = |explainer: &Explainer, engine: &Engine<'_>| {
            if bar.is_none() {
                warn_of_memory(arguments.engine.memory_bytes(), explainer, engine);
            }
            tell(&mut bar, explainer, engine);
        };
        let document = explain(&mut engine, &info, request, &interrupt, &mut after_chunk).await?;
        drop(bar);
        let Some(document) = document else {
            say::warn("stopped by Ctrl-C while the model wrote its answer; nothing was explained");
            return Ok(ExitCode::from(interrupt::EXIT));
        };
        let is_stopped = document.explanation.partial;
        if arguments.settings.faithfulness && document.explanation.faithfulness.is_none() && !is_stopped {
            say::warn("faithfulness: not measured, since the prompt has fewer than two units to take away");
        }
        destination.write(&document)?;
        if !destination.is_read_here() {
            for notice in report::words::notices(&document.explanation) {
                say::warn(format!("note: {notice}"));
            }
        }
        Ok(if is_stopped { ExitCode::from(interrupt::EXIT) } else { ExitCode::SUCCESS })
    })
}

fn request(arguments: &ExplainArguments, opened: &Opened, written: Option<Wording>, pictures: Vec<Picture>) -> Result<Request> {
    if !pictures.is_empty() {
        pictures::check(opened, "--image")?;
    }
    let tokenizer = opened.checkpoint.tokenizer()?;
    let prompt = match (&arguments.prompt_ids, written) {
        (Some(ids), _) => Asked::Tokens(Text::from_ids(tokenizer, &ids.0)),
        (None, Some(wording)) => Asked::Written(prompt::prepare(&wording, &arguments.prompt, opened)?),
        (None, None) => bail!("there is no prompt"),
    };
    let target = match (&arguments.target_ids, &arguments.target) {
        (Some(ids), _) => Some(Text::from_ids(tokenizer, &ids.0)),
        (None, Some(text)) => Some(prompt.answer(text, tokenizer)?),
        (None, None) => None,
    };
    let contrasts = arguments.contrast.iter().map(|text| prompt.answer(text, tokenizer)).collect::<Result<_, _>>()?;
    if pictures.is_empty() {
        check(prompt.clone().with_images(&[], tokenizer)?, target.clone(), opened)?;
    }
    if let (Some(span), Some(target)) = (&arguments.span, &target) {
        target.tokens_of(span)?;
    }
    let settings = arguments.settings.settings(opened.config.n_layers, pictures.len())?;
    Ok(Request {
        prompt,
        pictures,
        target,
        max_tokens: arguments.max_tokens,
        contrasts,
        span: arguments.span.clone(),
        settings,
        budget: arguments.engine.budget(),
    })
}

/// Makes sure that the model can run it.
fn check(prompt: Text, target: Option<Text>, opened: &Opened) -> Result<()> {
    // An answer yet to be written has at least one token.
    let least = || prompt.tokens.first().map(|token| Text { text: String::new(), tokens: vec![token.clone()] });
    let least = target.or_else(least).unwrap_or_default();
    Question::new(prompt, least, Vec::new(), &opened.config)?;
    Ok(())
}

/// What is asked for may be less than a plain pass takes.
fn warn_of_memory(asked_bytes: Option<u64>, explainer: &Explainer, engine: &Engine<'_>) {
    let Some(asked) = asked_bytes else { return };
    let needed = explainer.expected(&engine.model).map_or(0, |expected| expected.peak_bytes);
    if needed > asked {
        say::warn(format_args!(
            "memory: units run one at a time, which takes {} beside the weights, as much as a plain pass of this text",
            text::bytes(needed)
        ));
    }
}

/// Shows how far it is: rows, of what is known to come.
fn tell(bar: &mut Option<Progress>, explainer: &Explainer, engine: &Engine<'_>) {
    let Ok(expected) = explainer.expected(&engine.model) else { return };
    let done = explainer.spent().rows;
    let bar = bar.get_or_insert_with(|| Progress::of_things("explaining", "rows", expected.rows).quiet());
    bar.set_total(done + expected.rows);
    bar.set(done);
    bar.set_left(expected.seconds);
}

/// An error of the question rather than of the machine.
pub(crate) fn is_about_the_question(error: &anyhow::Error) -> bool {
    error.downcast_ref::<AtmanError>().is_some_and(|error| match error {
        AtmanError::Model(error) => matches!(error, ModelError::ImagePositions { .. }),
        _ => true,
    })
}
