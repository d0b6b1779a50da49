//! What is asked.

use super::{Draft, Picture, Writing};
use crate::messages::{PromptText, Target, WritingEnd};
use leptos::prelude::*;
use model::Sampling;

/// Most tokens of an answer where nothing else is said.
const MAX_TOKENS: usize = 32;

/// Prompt, answer, and how an answer is written.
#[derive(Clone, Copy)]
pub(in crate::page) struct QuestionState {
    pub(in crate::page) prompt: RwSignal<String>,
    /// Whether the prompt is a message to a chat model.
    pub(in crate::page) chat: RwSignal<bool>,
    /// The pictures that come with it, in order.
    pub(in crate::page) pictures: RwSignal<Vec<Picture>>,
    /// The numbers of pictures that the worker holds.
    pub(in crate::page) handed: StoredValue<Vec<u32>>,
    pub(in crate::page) answer: RwSignal<String>,
    /// What the model wrote last.
    pub(in crate::page) written: RwSignal<Option<Written>>,
    pub(in crate::page) sampling: RwSignal<Sampling>,
    pub(in crate::page) max_tokens: RwSignal<usize>,
    /// How it is writing.
    pub(in crate::page) how: StoredValue<Writing>,
    /// Counts the times that all pictures were replaced: what comes late for others is dropped.
    pub(in crate::page) picture_turn: StoredValue<u32>,
    /// What was there before something else took its place, the latest last.
    pub(in crate::page) drafts: RwSignal<Vec<Draft>>,
    /// The answer that made room for the one that is being written.
    pub(in crate::page) emptied: StoredValue<Option<(String, Option<Written>)>>,
    /// What the page itself wrote into the question last.
    pub(in crate::page) offered: StoredValue<Option<Draft>>,
}

/// A text that the model wrote, and how.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::page) struct Written {
    /// With its tokens.
    pub(in crate::page) target: Target,
    pub(in crate::page) end: WritingEnd,
    pub(in crate::page) how: Writing,
}

impl Written {
    /// Whether it ends before the model had ended it.
    pub(in crate::page) fn is_cut(&self) -> bool {
        self.end != WritingEnd::OfText
    }
}

impl QuestionState {
    pub(super) fn new() -> Self {
        Self {
            prompt: RwSignal::new(String::new()),
            chat: RwSignal::new(false),
            pictures: RwSignal::new(Vec::new()),
            handed: StoredValue::new(Vec::new()),
            answer: RwSignal::new(String::new()),
            written: RwSignal::new(None),
            sampling: RwSignal::new(Sampling::default()),
            max_tokens: RwSignal::new(MAX_TOKENS),
            how: StoredValue::new(Writing::default()),
            picture_turn: StoredValue::new(0),
            drafts: RwSignal::new(Vec::new()),
            emptied: StoredValue::new(None),
            offered: StoredValue::new(None),
        }
    }

    pub(in crate::page) fn prompt_text(&self) -> PromptText {
        let pictures = self.pictures.with(|pictures| pictures.iter().map(|picture| picture.id).collect());
        PromptText { text: self.prompt.get(), chat: self.chat.get(), pictures }
    }

    /// The answer, as the tokens that the model wrote where it is still that.
    pub(in crate::page) fn target(&self) -> Target {
        let text = self.answer.get();
        let ids = self.written_answer().and_then(|written| written.target.ids);
        Target { text, ids }
    }

    /// The answer as the model wrote it, if it is still that.
    pub(in crate::page) fn written_answer(&self) -> Option<Written> {
        let written = self.written.get()?;
        self.answer.with(|answer| *answer == written.target.text).then_some(written)
    }

    /// How an answer is written as the settings stand.
    pub(in crate::page) fn writing(&self) -> Writing {
        Writing { sampling: self.sampling.get(), max_tokens: self.max_tokens.get() }
    }
}
