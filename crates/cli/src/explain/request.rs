//! One question to a loaded model, from its parts to a document.

use crate::engine::Engine;
use crate::interrupt::Interrupt;
use crate::pictures::{self, Picture};
use crate::writing::{RELOADS, Writing};
use anyhow::Result;
use atman::{AtmanError, Budget, Explainer, Frame, Prompt, Question, SeenImage, Settings, Text};
use model::Sampling;
use report::{Document, ModelInfo, Span};
use weights::Tokenizer;

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) prompt: Asked,
    /// Those of the prompt, in their order.
    pub(crate) pictures: Vec<Picture>,
    /// The model writes one where there is none.
    pub(crate) target: Option<Text>,
    pub(crate) max_tokens: usize,
    pub(crate) contrasts: Vec<Text>,
    pub(crate) span: Option<String>,
    pub(crate) settings: Settings,
    pub(crate) budget: Budget,
}

/// A prompt, whose pictures have not been seen yet.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    /// In words, with a marker for each picture unless they come first.
    Written(Prompt),
    /// Token by token, those for the parts of pictures included.
    Tokens(Text),
}

impl Asked {
    /// With its pictures, as the model reads it.
    pub(crate) fn with_images(self, images: &[SeenImage], tokenizer: &Tokenizer) -> Result<Text, AtmanError> {
        match self {
            Self::Written(prompt) => prompt.with_images(images)?.encode(tokenizer),
            Self::Tokens(text) => Ok(text),
        }
    }

    /// What it was made of.
    fn frame(&self) -> Frame {
        match self {
            Self::Written(prompt) => prompt.frame.clone(),
            Self::Tokens(_) => Frame::default(),
        }
    }

    /// An answer to it, as [`Text::typed_answer`] has it.
    pub(crate) fn answer(&self, text: &str, tokenizer: &Tokenizer) -> Result<Text, AtmanError> {
        match self {
            Self::Written(prompt) if !prompt.add_special => prompt.encode(tokenizer)?.typed_answer(true, text, tokenizer),
            _ => Text::following(tokenizer, text),
        }
    }
}

/// The answer as the model would write it, taking the likeliest token each time, and whether it ends before the model ended it;
/// nothing if it was stopped.
async fn write_target(
    engine: &mut Engine<'_>,
    prompt: &Text,
    images: &[SeenImage],
    max_tokens: usize,
    interrupt: &Interrupt,
) -> Result<Option<(Text, bool)>> {
    let tokenizer = engine.opened.checkpoint.tokenizer()?;
    let input = atman::prompt_input(prompt, images, &engine.model)?;
    let mut writing = Writing::start(engine, &input, max_tokens, Sampling::default(), None).await?;
    let mut ids = Vec::new();
    let mut is_ended = false;
    while ids.len() < max_tokens {
        if interrupt.is_asked() {
            return Ok(None);
        }
        let Some(score) = writing.next(engine).await? else { break };
        is_ended = tokenizer.end_ids().contains(&score.token);
        if is_ended {
            break;
        }
        ids.push(score.token);
    }
    Ok(Some((Text::from_ids(tokenizer, &ids), !is_ended)))
}

/// Answers a request. `after_chunk` sees the explanation grow. Where it was stopped there is as much of it as there was, or
/// nothing if there was no answer to explain yet.
pub(crate) async fn explain(
    engine: &mut Engine<'_>,
    info: &ModelInfo,
    request: Request,
    interrupt: &Interrupt,
    after_chunk: &mut dyn FnMut(&Explainer, &Engine<'_>),
) -> Result<Option<Document>> {
    let tokenizer = engine.opened.checkpoint.tokenizer()?;
    let images = pictures::see(&request.pictures, engine).await?;
    let frame = request.prompt.frame();
    let prompt = request.prompt.with_images(&images, tokenizer)?;
    let (target, target_cut) = match request.target {
        Some(target) => (target, false),
        None => match write_target(engine, &prompt, &images, request.max_tokens, interrupt).await? {
            Some(written) => written,
            None => return Ok(None),
        },
    };
    let span = match request.span {
        Some(text) => {
            let tokens = target.tokens_of(&text)?;
            Some(Span { text, start_token: tokens.start, end_token: tokens.end })
        }
        None => None,
    };
    let question = Question::new(prompt, target, images, &engine.opened.config)?.within(frame);
    let settings = Settings { span: span.as_ref().map(|span| [span.start_token, span.end_token]), ..request.settings };
    let mut explainer = Explainer::new(question, settings, request.contrasts, request.budget, &engine.model)?;
    let mut reloads = 0;
    'run: loop {
        let mut ran = explainer.begin(&engine.model, engine.executor.as_mut()).await.map(|()| true);
        while matches!(ran, Ok(true)) {
            after_chunk(&explainer, engine);
            if interrupt.is_asked() {
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
    let document = Document::new(explainer.explanation(), info.clone(), engine.executor.describe(), span);
    let pictures = request.pictures.into_iter().map(Picture::into_file).collect();
    Ok(Some(document.with_target_cut(target_cut).with_pictures(pictures)))
}
