//! An explanation as a person or a program reads it: JSON, HTML, SVG, CSV and terminal text.
//!
//! All formats say the same in the same words and colours. Text from prompts and models is never markup and never steers a
//! terminal. There is no I/O here: the caller says what a terminal can do, and puts what comes out where it belongs.
//!
//! Whoever draws an explanation in another way finds what it says in [`words`], how numbers are written in [`amount`], and a
//! text's division in [`pieces`], that of pictures in [`pictures`].

pub mod amount;
mod clean;
mod document;
mod error;
mod format;
mod html;
mod layout;
pub mod pictures;
pub mod pieces;
mod scale;
mod svg;
mod table;
mod terminal;
mod trust;
pub mod words;

pub use amount::Measure;
pub use clean::{clean, label, one_line};
pub use document::{Document, ModelInfo, SCHEMA, SCHEMA_TEXT, Span, VERSION};
pub use error::ReportError;
pub use format::Format;
pub use html::{TRUST_CSS, faithfulness_html, html};
pub use pictures::{Mosaic, PictureFile, RelevanceGrid, relevance_grid};
pub use scale::{AGAINST, FULL_TINT, Rgb, SUPPORTS, Scale, Side, WHITE, contrast_ratio, text_on};
pub use svg::svg;
pub use table::csv;
pub use terminal::{ColorDepth, TerminalStyle, terminal};
