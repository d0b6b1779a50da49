//! What stands around what is explained, the same in every run.

use crate::{Place, Role, Text, Token, TokenKind, Turn};
use serde::{Deserialize, Serialize};

/// What a prompt was made of, so that it can be made again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Whether the turns stand in the model's chat template. The prompt has the template's words as they came out.
    pub chat_template: bool,
    /// The conversation, its last turn the question; none of a prompt that is not in a chat template.
    pub turns: Vec<Turn>,
    /// What whoever reads the explanation has to know of how the prompt was made.
    #[serde(skip)]
    pub notices: Vec<Notice>,
}

impl Frame {
    /// What whoever reads an explanation of this prompt has to know, which has become that text.
    pub fn notices_of(&self, prompt: &Text) -> Vec<Notice> {
        self.notices.iter().cloned().chain(Notice::of_control_tokens(prompt)).collect()
    }
}

/// What was held fixed while parts of a prompt were taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// What the prompt was made of.
    #[serde(flatten)]
    pub frame: Frame,
    /// The prompt's tokens that compete in rankings and are taken away to measure faithfulness, as ranges of positions, the end
    /// not included. The others are scored too, and shown apart.
    pub eligible: Vec<[usize; 2]>,
}

impl Held {
    /// With the ranges of positions that are eligible.
    pub(crate) fn new(frame: Frame, positions: impl Iterator<Item = usize>) -> Held {
        let mut eligible: Vec<[usize; 2]> = Vec::new();
        for position in positions {
            match eligible.last_mut() {
                Some([_, end]) if *end == position => *end = position + 1,
                _ => eligible.push([position, position + 1]),
            }
        }
        Held { frame, eligible }
    }

    /// How many tokens are eligible.
    pub fn n_eligible(&self) -> usize {
        self.eligible.iter().map(|[start, end]| end.saturating_sub(*start)).sum()
    }
}

/// Something about a prompt that whoever reads an explanation has to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What it is about.
    pub kind: NoticeKind,
    /// A sentence. It may hold what the prompt says.
    pub text: String,
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// What was written holds control tokens, which the model reads as it reads the chat template's.
    ImitatesTemplate,
    /// The chat template leaves a turn out, or a part of it, or writes it otherwise.
    ChangedByTemplate,
    /// Where a turn's words stand is not known for certain, or not at all.
    PlaceUnknown,
}

impl Notice {
    /// For control tokens among a text's written words, if there are any.
    pub(crate) fn of_control_tokens(text: &Text) -> Option<Notice> {
        let mut names: Vec<&str> = Vec::new();
        let mut roles: Vec<Role> = Vec::new();
        for token in text.tokens.iter().filter(|token| token.kind == TokenKind::Text && token.control) {
            if !names.contains(&token.text.as_str()) {
                names.push(&token.text);
            }
            if let Some(role) = token.role.filter(|role| !roles.contains(role)) {
                roles.push(role);
            }
        }
        let (last, rest) = names.split_last()?;
        let named = if rest.is_empty() { (*last).to_owned() } else { format!("{} and {last}", rest.join(", ")) };
        let by = match roles.as_slice() {
            [] | [Role::User] => "What was typed".to_owned(),
            roles => format!("The words of {}", roles.iter().map(Role::to_string).collect::<Vec<_>>().join(" and ")),
        };
        let text = format!(
            "{by} imitates the chat template: the control tokens {named} in it are read by the model as if the template had put \
             them there. They are shown as what was typed."
        );
        Some(Notice { kind: NoticeKind::ImitatesTemplate, text })
    }

    /// For a turn whose place is not certain.
    pub(crate) fn of_place(turn: &Turn, number: usize, n_turns: usize, place: Place) -> Option<Notice> {
        let which = which(turn, number, n_turns);
        let text = match place {
            Place::Known => return None,
            Place::OnlyOccurrence => format!(
                "The chat template answers every mark in {which} by writing something else, so its words were found by where they \
                 occur, which is in one place only."
            ),
            Place::Unknown if number + 1 == n_turns => format!(
                "It cannot be told which words of the prompt are those of {which} and which are the chat template's: all are \
                 treated as if they had been typed."
            ),
            Place::Unknown => {
                format!(
                    "It cannot be told which words of the prompt are those of {which}: they are shown as the chat template's."
                )
            }
        };
        Some(Notice { kind: NoticeKind::PlaceUnknown, text })
    }

    /// For a turn of which the prompt has other words than were written, if it has.
    pub(crate) fn of_change<'a>(
        turn: &Turn,
        number: usize,
        n_turns: usize,
        read: impl Iterator<Item = &'a str>,
    ) -> Option<Notice> {
        let written = turn.content.trim();
        let read: Vec<&str> = read.map(str::trim).filter(|read| !read.is_empty()).collect();
        let which = which(turn, number, n_turns);
        let text = match read.as_slice() {
            _ if written.is_empty() || read.contains(&written) => return None,
            [] => format!("The chat template leaves out {which}: the model does not read it."),
            _ => format!("The chat template leaves out or changes a part of {which}; the prompt has what the model reads."),
        };
        Some(Notice { kind: NoticeKind::ChangedByTemplate, text })
    }
}

/// A turn as it is called in a sentence.
fn which(turn: &Turn, number: usize, n_turns: usize) -> String {
    match turn.role {
        Role::System => "the system message".to_owned(),
        Role::User if number + 1 == n_turns => "the question".to_owned(),
        role => format!("turn {} ({role})", number + 1),
    }
}

impl Token {
    /// Whether it may be ranked and taken away: not where models park attention whatever stands there.
    pub(crate) fn is_eligible(&self, position: usize) -> bool {
        position > 0 && matches!(self.kind, TokenKind::Text | TokenKind::Image)
    }
}
