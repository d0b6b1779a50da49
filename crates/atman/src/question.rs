//! What is asked: why did the model answer this prompt with this target?

use crate::{AtmanError, Text};
use model::{ModelConfig, Wanted};

/// A prompt and the target to be explained.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What the model read.
    pub prompt: Text,
    /// What it wrote, or might have written.
    pub target: Text,
}

impl Question {
    /// Checks that the model can run it.
    ///
    /// # Errors
    /// When prompt or target are empty, hold tokens that the model does not have, or are too long for it.
    pub fn new(prompt: Text, target: Text, config: &ModelConfig) -> Result<Question, AtmanError> {
        let question = Question { prompt, target };
        if question.prompt.tokens.is_empty() {
            return Err(AtmanError::Empty { what: "prompt", advice: "give it some text" });
        }
        if question.target.tokens.is_empty() {
            return Err(AtmanError::Empty { what: "target", advice: "give the answer to explain, or have the model write one" });
        }
        for (what, text) in [("prompt", &question.prompt), ("target", &question.target)] {
            if let Some(token) = text.tokens.iter().find(|token| token.id as usize >= config.vocab_size) {
                return Err(AtmanError::Token { what, id: token.id, vocab_size: config.vocab_size });
            }
        }
        let (needed, limit) = (question.n_positions(), config.max_positions);
        if needed > limit {
            let (prompt, target) = (question.prompt.tokens.len(), question.target.tokens.len());
            return Err(AtmanError::TooLong { prompt, target, needed, limit });
        }
        Ok(question)
    }

    /// Tokens of the prompt, which is also the position of the target's first token.
    pub fn n_prompt(&self) -> usize {
        self.prompt.tokens.len()
    }

    /// Tokens of the target.
    pub fn n_target(&self) -> usize {
        self.target.tokens.len()
    }

    /// Input positions: the prompt's tokens and all target tokens but the last.
    pub fn n_positions(&self) -> usize {
        (self.n_prompt() + self.n_target()).saturating_sub(1)
    }

    /// The tokens at the input positions.
    pub fn input_ids(&self) -> Vec<u32> {
        let tokens = self.prompt.tokens.iter().chain(&self.target.tokens);
        tokens.take(self.n_positions()).map(|token| token.id).collect()
    }

    /// The position after which target token `t` is predicted.
    pub fn row_of(&self, t: usize) -> usize {
        (self.n_prompt() + t).saturating_sub(1)
    }

    /// Each target token, wanted where it is predicted.
    pub fn wanted(&self) -> Vec<Wanted> {
        let wanted = |(t, token): (usize, &crate::Token)| Wanted { position: self.row_of(t), tokens: vec![token.id] };
        self.target.tokens.iter().enumerate().map(wanted).collect()
    }
}
