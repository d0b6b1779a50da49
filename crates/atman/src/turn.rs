//! What is said in a conversation, and by whom.

use serde::{Deserialize, Serialize};
use std::fmt;
use weights::Message;

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Whoever says how the model is to answer.
    System,
    /// The person who asks.
    User,
    /// The model.
    Assistant,
    /// A program that the model called.
    Tool,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        })
    }
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: String,
}

impl Turn {
    /// A turn of that role and text.
    pub fn new(role: Role, content: impl Into<String>) -> Turn {
        Turn { role, content: content.into() }
    }

    /// A question after a system message, if there is one.
    pub fn question(system: Option<&str>, question: &str) -> Vec<Turn> {
        let system = system.map(|system| Turn::new(Role::System, system));
        system.into_iter().chain([Turn::new(Role::User, question)]).collect()
    }

    /// As the chat template takes it, so many pictures before the words.
    pub(crate) fn message(&self, n_images: usize) -> Message {
        Message::with_images(self.role.to_string(), n_images, self.content.as_str())
    }
}
