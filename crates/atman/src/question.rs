//! What is asked: why did the model answer this prompt with this target?

use crate::image::PixelRect;
use crate::seen::{self, SeenImage};
use crate::{AtmanError, Frame, Held, Notice, Text};
use model::{Mixed, Model, ModelConfig, Wanted};

/// A prompt and the target to be explained.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What the model read.
    pub prompt: Text,
    /// What it wrote, or might have written.
    pub target: Text,
    /// The prompt's pictures, in order.
    pub images: Vec<SeenImage>,
    /// What the prompt was made of.
    frame: Frame,
    /// What stands at the input positions.
    input: Mixed,
    /// The positions of all pictures, one after another.
    places: Vec<usize>,
}

impl Question {
    /// Checks that the model can run it.
    ///
    /// # Errors
    /// When prompt or target are empty, hold tokens that the model does not have, or are too long for it; and when the prompt
    /// has more or fewer image positions than the pictures fill.
    pub fn new(mut prompt: Text, target: Text, images: Vec<SeenImage>, config: &ModelConfig) -> Result<Question, AtmanError> {
        if prompt.tokens.is_empty() {
            return Err(AtmanError::Empty { what: "prompt", advice: "give it some text" });
        }
        if target.tokens.is_empty() {
            return Err(AtmanError::Empty { what: "target", advice: "give the answer to explain, or have the model write one" });
        }
        for (what, text) in [("prompt", &prompt), ("target", &target)] {
            if let Some(token) = text.tokens.iter().find(|token| token.id as usize >= config.vocab_size) {
                return Err(AtmanError::Token { what, id: token.id, vocab_size: config.vocab_size });
            }
        }
        let (of_prompt, of_target) = (prompt.tokens.len(), target.tokens.len());
        let (needed, limit) = (of_prompt + of_target - 1, config.max_positions);
        if needed > limit {
            return Err(AtmanError::TooLong { prompt: of_prompt, target: of_target, needed, limit });
        }
        prompt.mark_images(config.vision.as_ref().map(|vision| vision.image_token_id));
        let mut input = seen::mixed(&prompt, &images, config)?;
        // The last token of the target is predicted, and predicts nothing.
        target.tokens.iter().take(of_target - 1).for_each(|token| input.push(token.id));
        let places = prompt.image_positions();
        Ok(Question { prompt, target, images, frame: Frame::default(), input, places })
    }

    /// The same prompt with another target.
    ///
    /// # Errors
    /// Those of [`Question::new`].
    pub fn with_target(&self, target: Text, config: &ModelConfig) -> Result<Question, AtmanError> {
        Ok(Question::new(self.prompt.clone(), target, self.images.clone(), config)?.within(self.frame.clone()))
    }

    /// The same, saying what its prompt was made of.
    #[must_use]
    pub fn within(self, frame: Frame) -> Question {
        Question { frame, ..self }
    }

    /// What is the same in every run.
    pub fn held(&self) -> Held {
        let tokens = self.prompt.tokens.iter().enumerate();
        let eligible = tokens.filter(|(position, token)| token.is_eligible(*position)).map(|(position, _)| position);
        Held::new(self.frame.clone(), eligible)
    }

    /// What whoever reads an explanation has to know of the question.
    pub fn notices(&self) -> Vec<Notice> {
        self.frame.notices_of(&self.prompt)
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
        self.input.len()
    }

    /// What stands at the input positions: tokens, and the embeddings of pictures.
    pub fn input(&self) -> &Mixed {
        &self.input
    }

    /// The tokens at the input positions; those of pictures only mark the place.
    pub fn input_ids(&self) -> Vec<u32> {
        self.input.ids().to_vec()
    }

    /// The prompt as the model takes it, to have it go on from there.
    ///
    /// # Errors
    /// When the pictures were seen by another model.
    pub fn prompt_input(&self, model: &Model) -> Result<Mixed, AtmanError> {
        seen::prompt_input(&self.prompt, &self.images, model)
    }

    /// The input positions that stand for a region of a picture: those most of whose area lies in it. None where there is no
    /// such picture.
    pub fn positions_of_region(&self, image: usize, region: PixelRect) -> Vec<usize> {
        seen::positions_of_region(&self.prompt, &self.images, image, region)
    }

    /// The input positions of a picture, in order.
    pub fn image_positions(&self, image: usize) -> &[usize] {
        let before: usize = self.images.iter().take(image).map(SeenImage::n_positions).sum();
        let own = self.images.get(image).map_or(0, SeenImage::n_positions);
        self.places.get(before..before + own).unwrap_or_default()
    }

    /// Which picture an input position stands for, and which of its positions it is.
    pub fn image_at(&self, position: usize) -> Option<(usize, usize)> {
        let mut index = self.places.binary_search(&position).ok()?;
        for (image, seen) in self.images.iter().enumerate() {
            match index.checked_sub(seen.n_positions()) {
                Some(rest) => index = rest,
                None => return Some((image, index)),
            }
        }
        None
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
