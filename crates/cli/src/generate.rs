//! `atman generate`: text from a model, token by token.

use crate::args::{GenerateArguments, usage_error};
use crate::engine::{self, Engine};
use crate::interrupt::{self, Interrupt};
use crate::pictures;
use crate::prompt;
use crate::region;
use crate::say;
use crate::suppress;
use crate::writing::Writing;
use anyhow::Result;
use atman::{Prompt, Suppression, Text, Token};
use kernels::Operator;
use model::{KeyFactors, Model, Sampling};
use std::io::{IsTerminal, Write};
use std::ops::Range;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Generates as asked. The text goes to stdout, everything else to stderr.
pub(crate) fn run(arguments: &GenerateArguments) -> Result<ExitCode> {
    let interrupt = Interrupt::install()?;
    let sampling = sampling(arguments)?;
    let written = prompt::read(&arguments.prompt)?;
    region::check(&arguments.region, arguments.prompt.image.len())?;
    let pictures = pictures::read(&arguments.prompt.image)?;
    let opened = engine::open(arguments.model.as_deref())?;
    let checkpoint = &opened.checkpoint;
    if !pictures.is_empty() {
        pictures::check(&opened, "--image")?;
    }
    let tokenizer = checkpoint.tokenizer()?;
    let prompt = prompt::prepare(&written, &arguments.prompt, &opened)?;
    // What is wrong with the question is told before the device is opened and the weights are loaded.
    suppressed(arguments, &prompt, &prompt.encode(tokenizer)?)?;

    pollster::block_on(async {
        let mut engine = Engine::load(&opened, arguments.device).await?;
        let seen = pictures::see(&pictures, &mut engine).await?;
        let prompt = prompt.with_images(&seen)?;
        let text = prompt.encode(tokenizer)?;
        for notice in prompt.frame.notices_of(&text) {
            say::warn(format!("note: {}", report::one_line(&notice.text)));
        }
        let mut factors = suppressed(arguments, &prompt, &text)?;
        region::put(&arguments.region, &text, &seen, usual_factor(arguments), &mut factors)?;
        let factors = key_factors(arguments, factors, &engine.model)?;
        let max_tokens = arguments.max_tokens;
        let input = atman::prompt_input(&text, &seen, &engine.model)?;
        // What stops it from here on leaves tidily: a prompt may take long to be read, too.
        interrupt.watch();
        let started = Instant::now();
        let writing = Writing::start(&mut engine, &input, max_tokens, sampling, factors).await?;
        let done = write(writing, &mut engine, max_tokens, &interrupt).await?;
        say::note(done.summary(input.len(), started));
        Ok(if done.end == End::Interrupted { ExitCode::from(interrupt::EXIT) } else { ExitCode::SUCCESS })
    })
}

/// A factor for each token of the prompt, as `--suppress` says.
fn suppressed(arguments: &GenerateArguments, prompt: &Prompt, text: &Text) -> Result<Vec<f32>> {
    let tokens: Vec<Range<usize>> = text.tokens.iter().map(Token::bytes).collect();
    suppress::factors(&arguments.suppress, &prompt.text, &prompt.written(), &tokens, usual_factor(arguments))
}

/// What `explain` damps such a prompt by.
fn usual_factor(arguments: &GenerateArguments) -> f32 {
    Suppression::of_prompt(arguments.prompt.image.len()).factor
}

fn sampling(arguments: &GenerateArguments) -> Result<Sampling> {
    let GenerateArguments { temperature, top_k, top_p, seed, .. } = *arguments;
    let sampling = Sampling { temperature, top_k, top_p, seed };
    sampling.check().map_err(usage_error)?;
    if arguments.operator == Operator::ShiftedFull {
        let reason = "operator shifted-full looks at future keys, which a text being written does not have; use shifted";
        return Err(usage_error(reason));
    }
    Ok(sampling)
}

fn key_factors(arguments: &GenerateArguments, factors: Vec<f32>, model: &Model) -> Result<Option<KeyFactors>> {
    if arguments.suppress.is_empty() && arguments.region.is_empty() {
        return Ok(None);
    }
    let n_layers = model.config().n_layers;
    let layers = arguments.layers.map_or(Ok(0..n_layers), |layers| layers.of(n_layers))?;
    let suppressed = factors.iter().filter(|factor| **factor != 1.0).count();
    let (first, last) = (layers.start, layers.end.saturating_sub(1));
    say::note(format_args!(
        "suppressing: {suppressed} of {} tokens, {}, layers {first} to {last}",
        factors.len(),
        arguments.operator
    ));
    Ok(Some(KeyFactors { factors, operator: arguments.operator, layers }))
}

/// Why a text ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    OfText,
    TokenLimit,
    ContextFull,
    Interrupted,
}

impl End {
    fn reason(self) -> &'static str {
        match self {
            Self::OfText => "the model ended its text",
            Self::TokenLimit => "--max-tokens reached",
            Self::ContextFull => "the model's context is full",
            Self::Interrupted => "stopped by Ctrl-C",
        }
    }
}

/// What was written, and in which time.
#[derive(Debug)]
struct Done {
    end: End,
    tokens: usize,
    /// When the first token was there, which the prompt had to be read for.
    first: Instant,
    last: Instant,
}

impl Done {
    fn summary(&self, prompt_tokens: usize, started: Instant) -> String {
        let rate = |tokens: usize, time: Duration| {
            format!(
                "{tokens} tokens in {:.2} s ({:.1} tokens/s)",
                time.as_secs_f64(),
                tokens as f64 / time.as_secs_f64().max(1e-9)
            )
        };
        let prompt = rate(prompt_tokens, self.first.saturating_duration_since(started));
        // The first token came with the prompt, and its time is counted there.
        let written = rate(self.tokens.saturating_sub(1), self.last.saturating_duration_since(self.first));
        format!("prompt: {prompt}; then {written}; {}", self.end.reason())
    }
}

/// Writes tokens to stdout as they come.
async fn write(mut writing: Writing, engine: &mut Engine<'_>, max_tokens: usize, interrupt: &Interrupt) -> Result<Done> {
    let tokenizer = engine.opened.checkpoint.tokenizer()?;
    let mut stream = tokenizer.stream();
    let mut out = Output::new();
    let now = Instant::now();
    let mut done = Done { end: End::TokenLimit, tokens: 0, first: now, last: now };
    while done.tokens < max_tokens {
        if interrupt.is_asked() {
            done.end = End::Interrupted;
            break;
        }
        let Some(score) = writing.next(engine).await? else {
            done.end = End::ContextFull;
            break;
        };
        done.tokens += 1;
        done.last = Instant::now();
        if done.tokens == 1 {
            done.first = done.last;
        }
        if tokenizer.end_ids().contains(&score.token) {
            done.end = End::OfText;
            break;
        }
        out.write(&stream.push(score.token))?;
    }
    out.write(&stream.finish())?;
    out.end_line()?;
    Ok(done)
}

/// Stdout, with what could steer a terminal taken out if it is one: a model's text is untrusted.
struct Output {
    out: std::io::Stdout,
    is_terminal: bool,
    in_line: bool,
}

impl Output {
    fn new() -> Self {
        let out = std::io::stdout();
        Self { is_terminal: out.is_terminal(), out, in_line: false }
    }

    fn write(&mut self, text: &str) -> std::io::Result<()> {
        let Some(last) = text.chars().last() else { return Ok(()) };
        self.in_line = last != '\n';
        if self.is_terminal {
            self.out.write_all(harmless(text).as_bytes())?;
        } else {
            self.out.write_all(text.as_bytes())?;
        }
        self.out.flush()
    }

    fn end_line(&mut self) -> std::io::Result<()> {
        if self.in_line { self.write("\n") } else { Ok(()) }
    }
}

/// Control characters but tab and line feed become U+FFFD.
fn harmless(text: &str) -> String {
    let visible = |c: char| if c.is_control() && !matches!(c, '\n' | '\t') { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(visible).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_text_cannot_steer_the_terminal() {
        assert_eq!(harmless("a\tb\n\u{1b}[2J\u{9b}31m\rc"), "a\tb\n\u{fffd}[2J\u{fffd}31m\u{fffd}c");
    }

    #[test]
    fn the_first_token_counts_as_the_prompts() {
        let started = Instant::now();
        let at = |ms| started + Duration::from_millis(ms);
        let done = Done { end: End::OfText, tokens: 21, first: at(500), last: at(2500) };
        let summary =
            "prompt: 10 tokens in 0.50 s (20.0 tokens/s); then 20 tokens in 2.00 s (10.0 tokens/s); the model ended its text";
        assert_eq!(done.summary(10, started), summary);
    }
}
