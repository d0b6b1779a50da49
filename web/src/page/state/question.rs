//! What is asked.

use super::Picture;
use crate::messages::{PromptText, Target};
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
    /// What the model wrote last, with its tokens.
    pub(in crate::page) written: RwSignal<Option<Target>>,
    pub(in crate::page) sampling: RwSignal<Sampling>,
    pub(in crate::page) max_tokens: RwSignal<usize>,
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
        }
    }

    pub(in crate::page) fn prompt_text(&self) -> PromptText {
        let pictures = self.pictures.with(|pictures| pictures.iter().map(|picture| picture.id).collect());
        PromptText { text: self.prompt.get(), chat: self.chat.get(), pictures }
    }

    /// The answer, as the tokens that the model wrote where it is still that.
    pub(in crate::page) fn target(&self) -> Target {
        let text = self.answer.get();
        let ids = self.written.with(|written| written.as_ref().filter(|written| written.text == text)?.ids.clone());
        Target { text, ids }
    }
}
