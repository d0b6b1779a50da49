//! One question to a loaded model, from its parts to a document.

use crate::engine::Engine;
use anyhow::Result;
use atman::{Budget, Explainer, Question, Settings, Text};
use model::{Generation, Sampling};
use report::{Document, ModelInfo, Span};
use std::ops::ControlFlow;

/// How often a lost device is opened again before giving up.
const RELOADS: usize = 3;

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) prompt: Text,
    /// The model writes one where there is none.
    pub(crate) target: Option<Text>,
    pub(crate) max_tokens: usize,
    pub(crate) contrasts: Vec<String>,
    pub(crate) span: Option<String>,
    pub(crate) settings: Settings,
    pub(crate) budget: Budget,
}

/// The answer as the model would write it, taking the likeliest token each time.
pub(crate) async fn write_target(engine: &mut Engine<'_>, prompt: &Text, max_tokens: usize) -> Result<Text> {
    let tokenizer = engine.opened.checkpoint.tokenizer()?;
    let (model, executor) = (&engine.model, engine.executor.as_mut());
    let mut generation = Generation::start(model, executor, &prompt.ids(), max_tokens, Sampling::default(), None).await?;
    let mut ids = Vec::new();
    while ids.len() < max_tokens
        && let Some(score) = generation.next(model, executor).await?
        && !tokenizer.end_ids().contains(&score.token)
    {
        ids.push(score.token);
    }
    Ok(Text::from_ids(tokenizer, &ids))
}

/// Answers a request. `after_chunk` sees the explanation grow, and may stop it.
pub(crate) async fn explain(
    engine: &mut Engine<'_>,
    info: &ModelInfo,
    request: Request,
    after_chunk: &mut dyn FnMut(&Explainer, &Engine<'_>) -> ControlFlow<()>,
) -> Result<Document> {
    let tokenizer = engine.opened.checkpoint.tokenizer()?;
    let target = match request.target {
        Some(target) => target,
        None => write_target(engine, &request.prompt, request.max_tokens).await?,
    };
    let span = match request.span {
        Some(text) => {
            let tokens = target.tokens_of(&text)?;
            Some(Span { text, start_token: tokens.start, end_token: tokens.end })
        }
        None => None,
    };
    let alternatives = request.contrasts.iter().map(|text| Text::following(tokenizer, text)).collect::<Result<_, _>>()?;
    let question = Question::new(request.prompt, target, Vec::new(), &engine.opened.config)?;
    let mut explainer = Explainer::new(question, request.settings, alternatives, request.budget, &engine.model)?;
    let mut reloads = 0;
    'run: loop {
        let mut ran = explainer.begin(&engine.model, engine.executor.as_mut()).await.map(|()| true);
        while matches!(ran, Ok(true)) {
            if after_chunk(&explainer, engine).is_break() {
                break 'run;
            }
            ran = explainer.step(&engine.model, engine.executor.as_mut()).await;
        }
        match ran {
            Err(error) if error.is_device_lost() && reloads < RELOADS => {
                reloads += 1;
                engine.reload().await?;
            }
            Err(error) => return Err(error.into()),
            Ok(_) => break,
        }
    }
    Ok(Document::new(explainer.explanation(), info.clone(), engine.executor.describe(), span))
}
