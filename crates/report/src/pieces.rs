//! A text in the pieces that it is shown in: which part of it is which unit, and which target tokens.

use atman::{Explanation, Role, Source, Text, Token, TokenKind, Unit};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// A stretch of a text that is shown in one way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Piece {
    /// As it stands in the prompt or the target: untrusted, and not cleaned.
    pub text: String,
    /// Its unit, if it is a part of any.
    pub unit: Option<usize>,
    /// The tokens of its text that it stands for.
    pub tokens: Range<usize>,
    /// Whether the chat template put it there, or it is a control token.
    pub template: bool,
    /// Who wrote it, where that is known.
    pub role: Option<Role>,
    /// Whether it is a control token that somebody wrote among their words.
    pub control: bool,
    /// Whether it belongs to a unit that is shown apart.
    pub sink: bool,
    /// Whether it stands for a picture, whose units are shown over it and not in the text.
    pub picture: bool,
}

/// The prompt, one piece for each stretch of a unit. The positions of a picture are one piece together, such as `[image 1]`.
pub fn of_prompt(explanation: &Explanation) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::new();
    for piece in pieces(explanation, &explanation.prompt, 0) {
        match joined.last_mut() {
            Some(last)
                if last.unit == piece.unit
                    && last.template == piece.template
                    && (last.role, last.control) == (piece.role, piece.control)
                    && !last.picture
                    && !piece.picture =>
            {
                last.text.push_str(&piece.text);
                last.tokens.end = piece.tokens.end;
            }
            _ => joined.push(piece),
        }
    }
    joined
}

/// The prompt as people read it: the positions of a picture are a marker such as `[image 1]`.
pub fn prompt_text(explanation: &Explanation) -> Cow<'_, str> {
    if explanation.images.is_empty() && explanation.units.iter().all(|unit| unit.image.is_none()) {
        return Cow::Borrowed(&explanation.prompt.text);
    }
    Cow::Owned(of_prompt(explanation).into_iter().map(|piece| piece.text).collect())
}

/// The target, one piece for each token; tokens that are parts of one character are one piece.
pub fn of_target(explanation: &Explanation) -> Vec<Piece> {
    pieces(explanation, &explanation.target, explanation.prompt.tokens.len())
}

/// The pieces of a text whose first token stands at `first_position`.
fn pieces(explanation: &Explanation, text: &Text, first_position: usize) -> Vec<Piece> {
    let unit_at = units_by_position(explanation);
    // Only what is given to the model has pictures in it.
    let mut markers = (first_position == 0).then(|| Markers::of(explanation));
    let mut pieces: Vec<Piece> = Vec::with_capacity(text.tokens.len());
    let mut reached = 0;
    for (i, token) in text.tokens.iter().enumerate() {
        let own = text.text.get(reached..token.end_byte).unwrap_or_default();
        reached = reached.max(token.end_byte);
        if own.is_empty() {
            if let Some(last) = pieces.last_mut() {
                last.tokens.end = i + 1;
            }
            continue;
        }
        let unit = unit_at.get(&(first_position + i)).copied();
        if let Some(markers) = markers.as_mut().filter(|markers| markers.stand_for(token)) {
            let image = unit.and_then(|unit| explanation.units.get(unit)?.image.as_ref()).map(|part| part.image);
            match (markers.begins(image), pieces.last_mut()) {
                (None, Some(last)) if last.picture => last.tokens.end = i + 1,
                (None, _) => {}
                (Some(text), _) => pieces.push(Piece { text, tokens: i..i + 1, picture: true, ..Piece::default() }),
            }
            continue;
        }
        if let Some(markers) = &mut markers {
            markers.passed(token);
        }
        let template = token.kind != TokenKind::Text;
        let sink = unit.and_then(|unit| explanation.units.get(unit)).map_or(template, |unit| unit.sink);
        let (role, control) = (token.role, token.control);
        pieces.push(Piece { text: own.to_owned(), unit, tokens: i..i + 1, template, role, control, sink, picture: false });
    }
    if let Some(rest) = text.text.get(reached..).filter(|rest| !rest.is_empty()) {
        let end = text.tokens.len();
        pieces.push(Piece { text: rest.to_owned(), tokens: end..end, ..Piece::default() });
    }
    pieces
}

/// What the tokenizer calls the token that stands where a picture's embedding goes.
const IMAGE_TOKEN: &str = "<image>";

/// Pictures in a text, each of which is many tokens.
struct Markers {
    /// Tokens that stand for a part of a picture.
    ids: HashSet<u32>,
    /// Whether a token called [`IMAGE_TOKEN`] is one too: units need not cover all of a picture.
    by_name: bool,
    /// The picture that the last marker is of, while nothing but control tokens has followed; a number that is not known is
    /// `None` within.
    last: Option<Option<usize>>,
}

impl Markers {
    fn of(explanation: &Explanation) -> Markers {
        let of_pictures = explanation.units.iter().filter(|unit| unit.image.is_some());
        let positions = of_pictures.flat_map(|unit| unit.positions.iter());
        let tokens = positions.filter_map(|position| explanation.prompt.tokens.get(*position));
        let ids =
            tokens.filter(|token| token.kind != TokenKind::Text || token.text == IMAGE_TOKEN).map(|token| token.id).collect();
        Markers { ids, by_name: !explanation.images.is_empty(), last: None }
    }

    fn stand_for(&self, token: &Token) -> bool {
        let is_named = self.by_name && token.kind != TokenKind::Text && token.text == IMAGE_TOKEN;
        is_named || self.ids.contains(&token.id)
    }

    /// What stands for a picture at its first token; `None` where its marker is there already. A picture in tiles has control
    /// tokens in it, and is one picture still.
    fn begins(&mut self, image: Option<usize>) -> Option<String> {
        let goes_on = match (self.last, image) {
            (Some(last), Some(image)) => last.is_none_or(|last| last == image),
            (Some(_), None) => true,
            (None, _) => false,
        };
        if goes_on {
            return None;
        }
        self.last = Some(image);
        Some(image.map_or("[image]".to_owned(), |image| format!("[image {}]", image.saturating_add(1))))
    }

    fn passed(&mut self, token: &Token) {
        if token.kind == TokenKind::Text {
            self.last = None;
        }
    }
}

fn units_by_position(explanation: &Explanation) -> HashMap<usize, usize> {
    let leaves = explanation.leaves().into_iter();
    let units = leaves.filter_map(|unit| Some((unit, explanation.units.get(unit)?)));
    units.flat_map(|(unit, of)| of.positions.iter().map(move |position| (*position, unit))).collect()
}

/// The roles of those whose words stand in the prompt, in the order of their first words.
pub fn roles(explanation: &Explanation) -> Vec<Role> {
    let mut roles: Vec<Role> = Vec::new();
    for role in explanation.prompt.tokens.iter().filter_map(|token| token.role) {
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    roles
}

/// What a unit is called: its text, or, where tokens without any are all it has, what the tokenizer calls them.
pub fn name(explanation: &Explanation, unit: &Unit) -> String {
    if !unit.text.is_empty() {
        return unit.text.clone();
    }
    let (text, first) = match unit.source {
        Source::Prompt => (&explanation.prompt, 0),
        Source::Target => (&explanation.target, explanation.prompt.tokens.len()),
    };
    let tokens = unit.positions.iter().filter_map(|position| text.tokens.get(position.checked_sub(first)?));
    tokens.map(|token| token.text.as_str()).collect()
}
