//! A question that something else took the place of, so that it can be had back.

use super::{Picture, QuestionState, Written};
use leptos::prelude::*;

/// The most that are kept.
const MOST: usize = 20;

/// Everything that a person fills in to ask, but for settings.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::page) struct Draft {
    pub(in crate::page) prompt: String,
    pub(in crate::page) chat: bool,
    pub(in crate::page) pictures: Vec<Picture>,
    pub(in crate::page) answer: String,
    pub(in crate::page) written: Option<Written>,
}

impl Draft {
    /// Whether it holds nothing that anyone could miss.
    fn is_blank(&self) -> bool {
        self.prompt.trim().is_empty() && self.answer.trim().is_empty() && self.pictures.is_empty()
    }

    /// Whether another says the same, its pictures aside where the page itself brings them.
    fn says(&self, other: &Self) -> bool {
        let own = |draft: &Self| draft.pictures.iter().filter(|of| of.example.is_none()).map(|of| of.id).collect::<Vec<_>>();
        (&self.prompt, &self.answer, own(self)) == (&other.prompt, &other.answer, own(other))
    }
}

impl QuestionState {
    /// The question as it stands.
    pub(in crate::page) fn draft(&self) -> Draft {
        untrack(|| Draft {
            prompt: self.prompt.get(),
            chat: self.chat.get(),
            pictures: self.pictures.get(),
            answer: self.answer.get(),
            written: self.written.get(),
        })
    }

    /// Keeps the question as it stands, since something else is to take its place; not where it is what the page itself wrote,
    /// or nothing.
    pub(in crate::page) fn keep_draft(&self) {
        let now = self.draft();
        let is_offered = self.offered.with_value(|offered| offered.as_ref().is_some_and(|offered| offered.says(&now)));
        if now.is_blank() || is_offered {
            return;
        }
        self.drafts.update(|drafts| {
            drafts.retain(|draft| !draft.says(&now));
            drafts.push(now);
            let too_many = drafts.len().saturating_sub(MOST);
            drafts.drain(..too_many);
        });
    }

    /// The page itself has written the question as it stands: nobody would miss it.
    pub(in crate::page) fn note_offered(&self) {
        self.offered.set_value(Some(self.draft()));
    }

    /// Makes room for an answer that is to be written.
    pub(in crate::page) fn empty_answer(&self) {
        self.keep_draft();
        self.emptied.set_value(Some((self.answer.get_untracked(), self.written.get_untracked())));
        self.answer.set(String::new());
        self.written.set(None);
    }

    /// Nothing was written: the answer that was there is there again.
    pub(in crate::page) fn fill_emptied(&self) {
        if let Some((answer, written)) = self.emptied.try_update_value(Option::take).flatten() {
            self.answer.set(answer);
            self.written.set(written);
        }
    }

    /// Takes what was there last in place of what is there now, which in turn can be had back after all others.
    pub(in crate::page) fn bring_back(&self) {
        let Some(last) = self.drafts.try_update(Vec::pop).flatten() else { return };
        let n_before = self.drafts.with_untracked(Vec::len);
        self.keep_draft();
        self.drafts.update(|drafts| {
            if drafts.len() > n_before {
                drafts.rotate_right(1);
            }
        });
        let Draft { prompt, chat, pictures, answer, written } = last;
        self.prompt.set(prompt);
        self.chat.set(chat);
        self.pictures.set(pictures);
        self.answer.set(answer);
        self.written.set(written);
    }
}
