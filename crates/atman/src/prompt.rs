//! From what people wrote to the text that the model reads.

use crate::{AtmanError, Frame, Notice, Place, Role, SeenImage, Text, Turn};
use images::IMAGE;
use std::ops::Range;
use weights::{Checkpoint, Message, Tokenizer};

/// A text for the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// All that the model reads.
    pub text: String,
    /// The parts of it that people wrote, or the model before, rising; the rest is the chat template's.
    pub parts: Vec<Written>,
    /// Whether the tokenizer is to add what the model expects around a text. A chat template has it already.
    pub add_special: bool,
    /// What it was made of.
    pub frame: Frame,
    /// In a chat template: where pictures go. Every other `<image>` is a word that somebody wrote.
    markers: Vec<Range<usize>>,
}

/// A part of a prompt that somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where it stands, in bytes.
    pub bytes: Range<usize>,
    /// Who wrote it; not known outside a chat.
    pub role: Option<Role>,
}

impl Prompt {
    /// The text as it is, for the model to continue.
    pub fn plain(text: String) -> Prompt {
        let parts = vec![Written { bytes: 0..text.len(), role: None }];
        Prompt { text, parts, add_special: true, frame: Frame::default(), markers: Vec::new() }
    }

    /// A conversation within the model's chat template, to be gone on with by the assistant. So many pictures come with its last
    /// turn: before the words, or where these say `<image>`. [`Prompt::with_images`] puts them in.
    ///
    /// Where each turn's words stand is known from how the template treats marks in them, never by looking for what they say.
    /// Where a template does not let that be known, a notice says so.
    ///
    /// # Errors
    /// [`AtmanError::NoChatTemplate`], [`AtmanError::LastTurn`], [`AtmanError::Places`], when there are pictures and the model
    /// sees none, and when the template fails on this conversation.
    pub fn chat(turns: &[Turn], n_images: usize, checkpoint: &Checkpoint) -> Result<Prompt, AtmanError> {
        let Some(template) = checkpoint.chat_template() else {
            return Err(AtmanError::NoChatTemplate { model: checkpoint.name().to_owned() });
        };
        let Some(question) = turns.last().filter(|turn| turn.role == Role::User) else {
            return Err(AtmanError::LastTurn { found: turns.last().map(|turn| turn.role) });
        };
        let n_written = if n_images > 0 { question.content.matches(IMAGE).count() } else { 0 };
        if n_written > 0 && n_written != n_images {
            return Err(AtmanError::Places { places: n_written, images: n_images });
        }
        let of_template = if n_written > 0 { 0 } else { n_images };
        let last = turns.len() - 1;
        let message = |(number, turn): (usize, &Turn)| turn.message(if number == last { of_template } else { 0 });
        let messages: Vec<Message> = turns.iter().enumerate().map(message).collect();
        let rendered = template.render_with_places(&messages, true)?;
        let text = rendered.text;
        let (mut parts, mut notices) = (Vec::new(), Vec::new());
        for ((number, turn), placed) in turns.iter().enumerate().zip(&rendered.places) {
            let read = placed.ranges.iter().filter_map(|range| text.get(range.clone()));
            notices.extend(match placed.place {
                Place::Known => Notice::of_change(turn, number, turns.len(), read),
                place => Notice::of_place(turn, number, turns.len(), place),
            });
            let written = placed.ranges.iter().filter(|range| !range.is_empty());
            parts.extend(written.map(|range| Written { bytes: range.clone(), role: Some(turn.role) }));
        }
        parts.sort_by_key(|part| part.bytes.start);
        let is_lost = rendered.places.last().is_some_and(|placed| placed.place == Place::Unknown);
        let found = text.match_indices(IMAGE).map(|(at, marker)| at..at + marker.len());
        let markers: Vec<Range<usize>> = found
            .filter(|marker| {
                let is_in = |range: &Range<usize>| range.start <= marker.start && marker.end <= range.end;
                let is_asked = rendered.places.last().is_some_and(|placed| placed.ranges.iter().any(is_in));
                let is_of_template = !parts.iter().any(|part| is_in(&part.bytes));
                n_images > 0 && if n_written > 0 && !is_lost { is_asked } else { is_of_template }
            })
            .collect();
        if is_lost {
            parts = with_rest(parts, text.len());
        }
        let frame = Frame { chat_template: true, turns: turns.to_vec(), notices };
        Ok(Prompt { text, parts, add_special: false, frame, markers })
    }

    /// Puts the positions of each picture, and what the model expects around them, in the place of its marker `<image>`. A
    /// plain prompt without markers has its pictures before the text. Without pictures `<image>` is a word like others.
    ///
    /// # Errors
    /// [`AtmanError::Places`] when there are not as many markers as pictures.
    pub fn with_images(self, images: &[SeenImage]) -> Result<Prompt, AtmanError> {
        if images.is_empty() {
            return Ok(self);
        }
        let is_plain = self.add_special;
        let mut places = self.markers;
        if is_plain {
            places = self.text.match_indices(IMAGE).map(|(at, marker)| at..at + marker.len()).collect();
            if places.is_empty() {
                places = vec![0..0; images.len()];
            }
        }
        if places.len() != images.len() {
            return Err(AtmanError::Places { places: places.len(), images: images.len() });
        }
        let mut text = String::new();
        let mut parts = Vec::new();
        let mut from = 0;
        let ends = places.iter().map(|place| place.start).chain([self.text.len()]);
        let next = places.iter().map(|place| place.end).chain([self.text.len()]);
        let pictures = images.iter().map(SeenImage::prompt_text).chain([""]);
        for ((end, next), picture) in ends.zip(next).zip(pictures) {
            // What was written of this stretch, where it stands now.
            for Written { bytes, role } in &self.parts {
                let within = bytes.start.max(from)..bytes.end.min(end);
                if within.start < within.end {
                    let moved = |at: usize| at - from + text.len();
                    parts.push(Written { bytes: moved(within.start)..moved(within.end), role: *role });
                }
            }
            text.push_str(self.text.get(from..end).unwrap_or_default());
            text.push_str(picture);
            from = next;
        }
        Ok(Prompt { text, parts, markers: Vec::new(), ..self })
    }

    /// As the tokens that the model reads it as.
    ///
    /// # Errors
    /// When the tokenizer fails on this text.
    pub fn encode(&self, tokenizer: &Tokenizer) -> Result<Text, AtmanError> {
        Text::written(tokenizer, &self.text, self.add_special, &self.parts, &self.markers)
    }

    /// The bytes that people wrote, or the model before.
    pub fn written(&self) -> Vec<Range<usize>> {
        self.parts.iter().map(|part| part.bytes.clone()).collect()
    }
}

/// Whether a text says nothing but that there are pictures.
pub fn is_only_markers(text: &str) -> bool {
    text.contains(IMAGE) && text.replace(IMAGE, "").trim().is_empty()
}

/// Parts that are known, and all that lies between them as parts of nobody in particular.
fn with_rest(parts: Vec<Written>, len: usize) -> Vec<Written> {
    let mut all = Vec::new();
    let mut reached = 0;
    for part in parts {
        if part.bytes.start > reached {
            all.push(Written { bytes: reached..part.bytes.start, role: None });
        }
        reached = reached.max(part.bytes.end);
        all.push(part);
    }
    if reached < len {
        all.push(Written { bytes: reached..len, role: None });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seen::tests::seen;

    fn chat(text: &str, part: Range<usize>) -> Prompt {
        let markers = text.match_indices(IMAGE).map(|(at, marker)| at..at + marker.len()).collect();
        let parts = vec![Written { bytes: part, role: Some(Role::User) }];
        Prompt { text: text.to_owned(), parts, add_special: false, frame: Frame::default(), markers }
    }

    #[test]
    fn pictures_take_the_places_of_their_markers() {
        let (one, two) = (seen(1, 1, 0, 0), seen(1, 1, 1, 1));
        let written =
            |prompt: &Prompt| -> Vec<String> { prompt.written().into_iter().map(|part| prompt.text[part].into()).collect() };
        let prompt = chat("User:<image><image>Why?\n", 19..23);
        let shown = prompt.clone().with_images(&[one.clone(), two.clone()]).unwrap();
        assert_eq!(shown.text, format!("User:{}{}Why?\n", one.prompt_text(), two.prompt_text()));
        assert_eq!(written(&shown), ["Why?"]);
        assert_eq!(shown.parts[0].role, Some(Role::User));
        let error = prompt.clone().with_images(std::slice::from_ref(&one)).unwrap_err().to_string();
        assert_eq!(error, "pictures given: 1; places for them in the prompt (<image>): 2");
        assert_eq!(prompt.clone().with_images(&[]).unwrap(), prompt);

        let within = Prompt::plain("Look: <image> and?".to_owned()).with_images(std::slice::from_ref(&one)).unwrap();
        assert_eq!(within.text, format!("Look: {} and?", one.prompt_text()));
        assert_eq!(written(&within), ["Look: ", " and?"]);
        let first = Prompt::plain("What?".to_owned()).with_images(&[two.clone(), one.clone()]).unwrap();
        assert_eq!(first.text, format!("{}{}What?", two.prompt_text(), one.prompt_text()));
        assert_eq!(written(&first), ["What?"]);
        // A message without a place was put into a template that shows no pictures.
        let none = chat("What?", 0..5);
        assert!(matches!(none.with_images(&[one]), Err(AtmanError::Places { places: 0, images: 1 })));
    }

    #[test]
    fn what_no_part_covers_belongs_to_nobody() {
        let part = |bytes, role| Written { bytes, role };
        let known = part(2..4, Some(Role::System));
        let all = with_rest(vec![known.clone()], 9);
        assert_eq!(all, [part(0..2, None), known, part(4..9, None)]);
        assert_eq!(with_rest(Vec::new(), 0), []);
    }

    #[test]
    fn a_prompt_of_markers_alone_asks_for_pictures() {
        assert!(is_only_markers("<image>") && is_only_markers(" <image>\n<image>"));
        assert!(!is_only_markers("What is <image> in HTML?") && !is_only_markers(" ") && !is_only_markers(""));
    }
}
