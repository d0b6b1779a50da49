//! What can be wrong with a question about a model.

use crate::Role;
use images::ImageError;
use model::ModelError;
use weights::WeightsError;

/// Errors of asking for an explanation.
#[derive(Debug, thiserror::Error)]
pub enum AtmanError {
    /// A text that must hold something is empty.
    #[error("the {what} holds no tokens; {advice}")]
    Empty {
        /// Which text.
        what: &'static str,
        /// What would do.
        advice: &'static str,
    },
    /// The question has more positions than the model was made for.
    #[error(
        "the prompt of {prompt} tokens and the answer of {target} take {needed} positions, but the model was made for {limit}; \
         shorten the prompt by at least {} tokens", needed - limit
    )]
    TooLong {
        /// Tokens of the prompt.
        prompt: usize,
        /// Tokens of the target.
        target: usize,
        /// Positions of both, without the target's last token.
        needed: usize,
        /// Positions that the model has.
        limit: usize,
    },
    /// A token that the model does not have.
    #[error("token {id} of the {what} is not below {vocab_size}, the size of the model's vocabulary")]
    Token {
        /// `prompt` or `target`.
        what: &'static str,
        /// The token.
        id: u32,
        /// How many tokens there are.
        vocab_size: usize,
    },
    /// A setting is out of its range.
    #[error("{setting} is {found}, expected {expected}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What was given.
        found: String,
        /// What would do.
        expected: String,
    },
    /// A regular expression that does not compile.
    #[error("the pattern {pattern:?} is no regular expression: {reason}")]
    Pattern {
        /// As given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An alternative that leaves nothing to decide between it and the target.
    #[error("the alternative {alternative:?} cannot be compared with the target {target:?}: {reason}")]
    Alternative {
        /// The alternative.
        alternative: String,
        /// The target.
        target: String,
        /// Why not.
        reason: &'static str,
    },
    /// A span that the target does not hold.
    #[error("{span:?} does not occur in the answer {target:?}")]
    Span {
        /// What was looked for.
        span: String,
        /// Where.
        target: String,
    },
    /// A picture that cannot be read.
    #[error("{name}: {source}")]
    Picture {
        /// What it is called.
        name: String,
        /// What is wrong with it.
        source: ImageError,
    },
    /// A prompt with more or fewer places for pictures than there are pictures.
    #[error("pictures given: {images}; places for them in the prompt ({}): {places}", images::IMAGE)]
    Places {
        /// Places in the prompt.
        places: usize,
        /// Pictures.
        images: usize,
    },
    /// Something was to be run while the baseline's keys and values are not at hand.
    #[error("nothing can be run before the baseline; call `begin` first, and again after a device was lost")]
    NotBegun,
    /// The model has no chat template to put a message into.
    #[error("{model} has no chat template")]
    NoChatTemplate {
        /// Its name.
        model: String,
    },
    /// A conversation that does not end with the user's turn.
    #[error("{}", last_turn(*found))]
    LastTurn {
        /// Whose turn it ends with, if it has any.
        found: Option<Role>,
    },
    /// The tokenizer or the chat template failed on a text.
    #[error(transparent)]
    Tokenizer(#[from] WeightsError),
    /// The model or its device failed.
    #[error(transparent)]
    Model(#[from] ModelError),
}

fn last_turn(found: Option<Role>) -> String {
    match found {
        None => "the conversation has no turns; its last must be the user's".to_owned(),
        Some(role) => {
            format!("the last turn of the conversation is of the role {role}, expected user: the answer comes after it")
        }
    }
}

impl AtmanError {
    /// Whether a new executor with the weights loaded again can go on from here.
    pub fn is_device_lost(&self) -> bool {
        matches!(self, AtmanError::Model(ModelError::Exec(kernels::ExecError::DeviceLost { .. })))
    }
}
