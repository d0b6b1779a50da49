//! From what a person wrote to the text that the model reads.

use crate::{AtmanError, SeenImage, Text};
use images::IMAGE;
use std::ops::Range;
use weights::{Checkpoint, Message, Tokenizer};

/// A text for the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// All that the model reads.
    pub text: String,
    /// The bytes of it that the person wrote; the rest is the chat template's.
    pub parts: Vec<Range<usize>>,
    /// Whether the tokenizer is to add what the model expects around a text. A chat template has it already.
    pub add_special: bool,
}

impl Prompt {
    /// The text as it is, for the model to continue.
    pub fn plain(text: String) -> Prompt {
        let whole = 0..text.len();
        Prompt { text, parts: vec![whole], add_special: true }
    }

    /// The text as a user's message within the model's chat template, after a system message if there is one. So many
    /// pictures are shown before the text; [`Prompt::with_images`] puts them in.
    ///
    /// # Errors
    /// [`AtmanError::NoChatTemplate`], when there are pictures and the model sees none, and when the template fails on these
    /// messages.
    pub fn chat(text: &str, system: Option<&str>, n_images: usize, checkpoint: &Checkpoint) -> Result<Prompt, AtmanError> {
        let Some(template) = checkpoint.chat_template() else {
            return Err(AtmanError::NoChatTemplate { model: checkpoint.name().to_owned() });
        };
        let mut messages: Vec<Message> = system.map(|system| Message::new("system", system)).into_iter().collect();
        messages.push(Message::with_images("user", n_images, text));
        let rendered = template.render(&messages, true)?;
        let parts = written_parts(&rendered, system, text);
        Ok(Prompt { text: rendered, parts, add_special: false })
    }

    /// Puts the positions of each picture, and what the model expects around them, in the place of its marker `<image>`. A
    /// plain prompt without markers has its pictures before the text.
    ///
    /// # Errors
    /// [`AtmanError::Places`] when there are not as many markers as pictures.
    pub fn with_images(self, images: &[SeenImage]) -> Result<Prompt, AtmanError> {
        if images.is_empty() {
            return Ok(self);
        }
        let mut places: Vec<Range<usize>> = self.text.match_indices(IMAGE).map(|(at, marker)| at..at + marker.len()).collect();
        if places.is_empty() && self.add_special {
            places = vec![0..0; images.len()];
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
            // What the person wrote of this stretch, where it stands now.
            let moved = |at: usize| at - from + text.len();
            let written = self.parts.iter().map(|part| part.start.max(from)..part.end.min(end));
            parts.extend(written.filter(|part| part.start < part.end).map(|part| moved(part.start)..moved(part.end)));
            text.push_str(self.text.get(from..end).unwrap_or_default());
            text.push_str(picture);
            from = next;
        }
        Ok(Prompt { text, parts, add_special: self.add_special })
    }

    /// As the tokens that the model reads it as.
    ///
    /// # Errors
    /// When the tokenizer fails on this text.
    pub fn encode(&self, tokenizer: &Tokenizer) -> Result<Text, AtmanError> {
        Text::encode(tokenizer, &self.text, self.add_special, &self.parts)
    }
}

/// Where the user's messages stand in the rendered text: the system message first, the prompt last. Templates may trim
/// messages; one that changed them more leaves the whole text to be searched.
fn written_parts(rendered: &str, system: Option<&str>, prompt: &str) -> Vec<Range<usize>> {
    let range = |start: usize, part: &str| start..start + part.len();
    let prompt = prompt.trim();
    let Some(at) = rendered.rfind(prompt).map(|start| range(start, prompt)) else {
        return std::iter::once(0..rendered.len()).collect();
    };
    let before = rendered.get(..at.start).unwrap_or_default();
    let system = system.map(str::trim).filter(|system| !system.is_empty());
    let system = system.and_then(|system| before.rfind(system).map(|start| range(start, system)));
    system.into_iter().chain([at]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seen::tests::seen;

    #[test]
    fn the_users_words_are_told_from_the_templates() {
        let rendered = "<s>system\nBe user kind</s><s>user\nWho is the user?</s><s>assistant\n";
        let parts = |system, prompt| -> Vec<&str> {
            written_parts(rendered, system, prompt).into_iter().map(|range| &rendered[range]).collect()
        };
        assert_eq!(parts(Some("Be user kind "), "Who is the user?\n"), ["Be user kind", "Who is the user?"]);
        assert_eq!(parts(None, "Who is the user?"), ["Who is the user?"]);
        assert_eq!(parts(None, "changed beyond recognition"), [rendered]);
    }
    #[test]
    fn pictures_take_the_places_of_their_markers() {
        let (one, two) = (seen(1, 1, 0, 0), seen(1, 1, 1, 1));
        let written =
            |prompt: &Prompt| -> Vec<String> { prompt.parts.iter().map(|part| prompt.text[part.clone()].into()).collect() };
        let chat = "User:<image><image>Why?\n";
        let prompt = Prompt { text: chat.to_owned(), parts: std::iter::once(19..23).collect(), add_special: false };
        let shown = prompt.clone().with_images(&[one.clone(), two.clone()]).unwrap();
        assert_eq!(shown.text, format!("User:{}{}Why?\n", one.prompt_text(), two.prompt_text()));
        assert_eq!(written(&shown), ["Why?"]);
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
        let none = Prompt { add_special: false, ..Prompt::plain("What?".to_owned()) };
        assert!(matches!(none.with_images(&[one]), Err(AtmanError::Places { places: 0, images: 1 })));
    }
}
