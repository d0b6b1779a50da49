//! An explanation as a person or a program reads it: JSON, HTML, SVG, CSV and terminal text.

mod document;

pub use document::{Document, ModelInfo, SCHEMA, Span};
