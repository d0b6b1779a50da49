//! The rows of the data, of whichever kind they are.

use super::about_image::{self, AboutImage};
use super::about_text::AboutText;
use crate::args::{EvalArguments, usage_error};
use crate::engine::Opened;
use crate::fetch::sha256_of;
use crate::jsonl::lines;
use crate::say;
use crate::text_file;
use anyhow::{Context, Result, bail};
use images::ImageProcessor;
use serde_json::Value;
use std::path::Path;

/// A row, ready to be asked.
#[derive(Debug)]
pub(crate) struct Example {
    /// As the data names it, or by its line.
    pub(crate) id: String,
    /// Of its line.
    pub(crate) sha256: String,
    /// Of its picture and its mask, where it has some.
    pub(crate) pictures_sha256: Vec<String>,
    pub(crate) about: About,
}

/// What a question is about.
#[derive(Debug)]
pub(crate) enum About {
    Text(Box<AboutText>),
    Image(Box<AboutImage>),
}

/// What all rows of a file ask about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Image,
}

impl Kind {
    /// That of a line; `None` of one that is no JSON object.
    fn of(line: &str) -> Option<Self> {
        let row: Value = serde_json::from_str(line).ok()?;
        let row = row.as_object()?;
        Some(if row.contains_key("image") || row.contains_key("mask") { Self::Image } else { Self::Text })
    }

    /// That of all lines.
    ///
    /// # Errors
    /// When there are some of each.
    fn of_all(text: &str, path: &Path) -> Result<Self> {
        let of = |wanted| lines(text).find(|(_, line)| Self::of(line) == Some(wanted)).map(|(number, _)| number);
        match (of(Self::Text), of(Self::Image)) {
            (Some(text), Some(image)) => bail!(
                "{} asks about texts (line {text}) and pictures (line {image}), which are measured differently; \
                 put them into two files",
                path.display()
            ),
            (_, Some(_)) => Ok(Self::Image),
            (_, None) => Ok(Self::Text),
        }
    }
}

/// A file of rows.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) kind: Kind,
    text: String,
}

/// What of the data is used.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) examples: Vec<Example>,
    /// How the model wants its pictures, where there are some.
    pub(crate) processor: Option<ImageProcessor>,
    /// Lines that could not be used.
    pub(crate) bad: usize,
}

impl Data {
    /// Reads the file, and checks that what is asked for goes with it.
    pub(crate) fn open(arguments: &EvalArguments) -> Result<Self> {
        let path = &arguments.data;
        let text = text_file::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let kind = Kind::of_all(&text, path)?;
        match kind {
            Kind::Image if arguments.max_context_tokens.is_some() => {
                Err(usage_error("--max-context-tokens is for questions about texts, and these are about pictures"))
            }
            _ => Ok(Self { kind, text }),
        }
    }

    /// The examples that are asked for. A bad line is reported and left out.
    pub(crate) fn select(&self, arguments: &EvalArguments, opened: &Opened) -> Result<Selection> {
        let (path, kind) = (&arguments.data, self.kind);
        let processor = if kind == Kind::Image { Some(about_image::processor(opened)?) } else { None };
        let mut selection = Selection { examples: Vec::new(), processor, bad: 0 };
        let mut too_long = 0;
        for (number, line) in lines(&self.text) {
            if arguments.limit.is_some_and(|limit| selection.examples.len() >= limit) {
                break;
            }
            let is_too_long = |example: &Example| match &example.about {
                About::Text(about) => arguments.max_context_tokens.is_some_and(|most| about.context.len() > most),
                About::Image(_) => false,
            };
            match example(number, line, kind, path, opened) {
                Ok(example) if is_too_long(&example) => too_long += 1,
                Ok(example) => selection.examples.push(example),
                Err(error) => {
                    selection.bad += 1;
                    say::warn(format_args!("line {number} of {} is left out: {error:#}", path.display()));
                }
            }
        }
        if selection.examples.is_empty() {
            bail!("{} holds no example that can be used ({too_long} are too long)", path.display());
        }
        Ok(selection)
    }
}

fn example(number: usize, line: &str, kind: Kind, path: &Path, opened: &Opened) -> Result<Example> {
    let row: Value = serde_json::from_str(line)?;
    let id = match row.get("id") {
        None | Some(Value::Null) => format!("line {number}"),
        Some(Value::String(id)) => id.clone(),
        Some(other) => other.to_string(),
    };
    let (about, pictures_sha256) = match kind {
        Kind::Text => (About::Text(Box::new(AboutText::read(line, opened)?)), Vec::new()),
        Kind::Image => {
            let folder = path.parent().unwrap_or(Path::new(""));
            let (about, pictures_sha256) = AboutImage::read(line, folder, opened)?;
            (About::Image(Box::new(about)), pictures_sha256)
        }
    };
    Ok(Example { id, sha256: sha256_of(line.as_bytes()), pictures_sha256, about })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_kind_go_together() {
        let (text, image) = (r#"{"context": "", "question": ""}"#, r#"{"image": "a.png", "mask": "b.png"}"#);
        let of = |lines: &[&str]| Kind::of_all(&lines.join("\n"), Path::new("data.jsonl"));
        assert_eq!(of(&[text, "no JSON"]).unwrap(), Kind::Text);
        assert_eq!(of(&["no JSON", image, image]).unwrap(), Kind::Image);
        assert_eq!(of(&[r#"{"image": "a.png"}"#]).unwrap(), Kind::Image);
        assert_eq!(of(&[]).unwrap(), Kind::Text);
        let error = of(&[image, "", text]).unwrap_err().to_string();
        assert!(error.contains("texts (line 3) and pictures (line 1)") && error.contains("two files"), "{error}");
    }
}
