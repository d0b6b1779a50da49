//! The one versioned JSON of an explanation.

use crate::PictureFile;
use atman::{Contrast, Explanation};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The value of `schema` in every document that this version writes.
pub const SCHEMA: &str = "atman.explanation/1";

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The JSON Schema (draft 2020-12) of these documents.
pub const SCHEMA_TEXT: &str = include_str!("../schema/explanation-1.schema.json");

/// An explanation, and what it was made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// [`SCHEMA`].
    pub schema: String,
    /// [`VERSION`] of the program that made it; empty in documents from before it was written down.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Which model.
    pub model: ModelInfo,
    /// One line for people: the device that computed it.
    pub device: String,
    /// The part of the target that `scores` are for; all of it if not given.
    pub span: Option<Span>,
    /// The number of the contrast that `scores` are for, from 0 on; the target itself if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contrast: Option<usize>,
    /// Whether the target ends before the model had ended it: it has as many tokens as were to be written, or was stopped.
    #[serde(default)]
    pub target_cut: bool,
    /// Each unit's relevance for the span, summed over its tokens and post-processed; for a contrast, its relevance.
    pub scores: Vec<Option<f32>>,
    /// The explanation's own fields stand beside these.
    #[serde(flatten)]
    pub explanation: Explanation,
    /// The files of the explanation's pictures, in their order, for the formats that show them; they are not in the JSON. A
    /// picture without its file is drawn as a plain frame.
    #[serde(skip)]
    pub pictures: Vec<PictureFile>,
}

/// A model, so that it can be told from any other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// The name of its file or folder.
    pub name: String,
    /// SHA-256 of its file, in lower-case hexadecimal digits; of several files, of their hashes in the order of their names.
    /// `None` where it was not computed.
    pub sha256: Option<String>,
    /// The number formats of its matrices.
    pub formats: Vec<String>,
}

/// A part of the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// As it was asked for.
    pub text: String,
    /// Its first token in the target.
    pub start_token: usize,
    /// One past its last.
    pub end_token: usize,
}

impl Document {
    /// Puts a document together; scores are those of `span`, or of the whole target.
    pub fn new(explanation: Explanation, model: ModelInfo, device: String, span: Option<Span>) -> Document {
        let (schema, version) = (SCHEMA.to_owned(), VERSION.to_owned());
        let (scores, pictures) = (Vec::new(), Vec::new());
        let (contrast, target_cut) = (None, false);
        let mut document = Document { schema, version, model, device, span, contrast, target_cut, scores, explanation, pictures };
        document.scores = document.explanation.scores(document.span_tokens());
        document
    }

    /// The same with the files of its pictures, in the order of the explanation's `images`.
    #[must_use]
    pub fn with_pictures(self, pictures: Vec<PictureFile>) -> Document {
        Document { pictures, ..self }
    }

    /// The same with the scores of a contrast, by its number; as it is where there is none of that number.
    #[must_use]
    pub fn with_contrast(self, number: usize) -> Document {
        match self.explanation.contrasts.get(number) {
            Some(contrast) => {
                let scores = contrast.relevance.clone();
                Document { span: None, contrast: Some(number), scores, ..self }
            }
            None => self,
        }
    }

    /// The same with what is known of the target's end.
    #[must_use]
    pub fn with_target_cut(self, target_cut: bool) -> Document {
        Document { target_cut, ..self }
    }

    /// The contrast that `scores` are for.
    pub fn looked_at_contrast(&self) -> Option<&Contrast> {
        self.explanation.contrasts.get(self.contrast?)
    }

    /// The target tokens that `scores` are for.
    pub fn span_tokens(&self) -> Range<usize> {
        let whole = self.explanation.whole_target();
        self.span.as_ref().map_or(whole, |span| span.start_token..span.end_token)
    }

    /// The document as JSON, indented.
    ///
    /// # Errors
    /// When a number is not finite, which no explanation's is.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}
