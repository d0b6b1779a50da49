//! What was met in a model's files that is no error, and what is made of it.

use std::fmt;

/// Something about a model's files that whoever uses the model should know: what was met, and what is assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileNotice {
    /// The chat template is there, and cannot be used.
    TemplateRefused {
        /// Where it comes from.
        file: String,
        /// Why.
        reason: String,
    },
    /// The file does not say how a text is split before it becomes tokens.
    PreTokenizerAssumed {
        /// The file.
        file: String,
        /// What is assumed, and why that.
        assumed: String,
    },
    /// The tokenizer is set to end every text with a token that ends texts.
    EndTokenLeftOut {
        /// The file that says so.
        file: String,
        /// The token.
        token: String,
    },
}

impl fmt::Display for FileNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileNotice::TemplateRefused { file, reason } => {
                write!(f, "{file}: the chat template cannot be used ({reason}); the model continues plain prompts only")
            }
            FileNotice::PreTokenizerAssumed { file, assumed } => {
                write!(f, "{file}: no tokenizer.ggml.pre says how texts are split into tokens; this is a guess: {assumed}")
            }
            FileNotice::EndTokenLeftOut { file, token } => {
                write!(f, "{file}: texts are to end with {token}; it is left out, since the answer goes on where the prompt ends")
            }
        }
    }
}
