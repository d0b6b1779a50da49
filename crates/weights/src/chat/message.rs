//! What is said in a conversation.

use minijinja::Value;

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who says it: `system`, `user` or `assistant`, as the template knows them.
    pub role: String,
    /// What is said.
    pub content: Vec<Part>,
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Words.
    Text(String),
    /// A picture, of which the template sees no more than that it is one.
    Image,
}

impl Message {
    /// A message of that role and text.
    pub fn new(role: impl Into<String>, text: impl Into<String>) -> Message {
        Message::with_images(role, 0, text)
    }

    /// A message of so many pictures and a text after them.
    pub fn with_images(role: impl Into<String>, n_images: usize, text: impl Into<String>) -> Message {
        let images = std::iter::repeat_n(Part::Image, n_images);
        Message { role: role.into(), content: images.chain([Part::Text(text.into())]).collect() }
    }

    /// Its text, if it has no pictures.
    pub(super) fn text(&self) -> Option<String> {
        let text = |part: &Part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Image => None,
        };
        self.content.iter().map(text).collect()
    }
}

impl Part {
    /// As Hugging Face's processors give it to a template.
    pub(super) fn value(&self) -> Value {
        match self {
            Part::Text(text) => Value::from_pairs([("type", "text"), ("text", text.as_str())]),
            Part::Image => Value::from_pairs([("type", "image")]),
        }
    }
}
