//! Where each message's words stand in a rendered conversation.
//!
//! Nothing is looked for: what a person wrote may well be a word of the template. The conversation is rendered again with a
//! mark at either end of each text, characters that occur nowhere in it. Where the two renderings are the same but for the
//! marks, the template did the same to both, and the marks are where the text begins and ends. A template may trim, cut,
//! repeat, change or leave out a text, and it may look at what a text says or how long it is; so marks are tried at several
//! places, and each is believed only where it changes nothing else.

mod marks;
mod outcome;

pub use outcome::{Place, PlacedText, Rendered};

use super::{ChatTemplate, Message, Part};
use crate::WeightsError;
use marks::{Alphabet, Edit, Marked, compared};
use outcome::{merged, pairs};
use std::ops::Range;

/// How often a conversation is rendered to find its texts, at all, for each of them, and at the most: bounds for templates that
/// mean ill, far above what known ones take.
const RENDERINGS: usize = 64;
const RENDERINGS_A_TEXT: usize = 12;
const MAX_RENDERINGS: usize = 1000;
/// Places within a text at which a mark is tried, where its ends cannot be marked, and where one of them can.
const PLACES_WITHIN: usize = 12;
const MORE_PLACES_WITHIN: usize = 4;
/// Characters by which the end of what was found is moved to one that can be checked.
const STEPS_TO_CHECK: usize = 24;
/// How often it is begun anew because the clock that a template shows went on.
const ATTEMPTS: usize = 3;

impl ChatTemplate {
    /// The prompt for a conversation, as [`ChatTemplate::render`] makes it, and where the words of each message stand in it.
    ///
    /// # Errors
    /// Those of [`ChatTemplate::render`].
    pub fn render_with_places(&self, messages: &[Message], add_generation_prompt: bool) -> Result<Rendered, WeightsError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let text = self.render(messages, add_generation_prompt)?;
            let mut search = Search::new(self, messages, add_generation_prompt, &text);
            let places = search.places();
            let is_sure = places.iter().all(|place| place.place == Place::Known);
            // A template that shows the time writes another text after a while.
            if is_sure || attempt == ATTEMPTS || self.render(messages, add_generation_prompt)? == text {
                return Ok(Rendered { text, places });
            }
        }
    }
}

/// One text of a message.
#[derive(Clone, Copy)]
struct Spot<'a> {
    message: usize,
    part: usize,
    text: &'a str,
}

impl Spot<'_> {
    /// The text without the white space around it, as a range in it.
    fn inner(&self) -> Range<usize> {
        let start = self.text.len() - self.text.trim_start().len();
        start..start.max(self.text.trim_end().len())
    }
}

/// Where the marks of a text go: at its ends, or at those of what is left when it is trimmed.
#[derive(Clone, Copy)]
struct Ends {
    trims_start: bool,
    trims_end: bool,
}

impl Ends {
    /// What templates do, the commonest first.
    const ALL: [Ends; 4] = [
        Ends { trims_start: false, trims_end: false },
        Ends { trims_start: true, trims_end: true },
        Ends { trims_start: false, trims_end: true },
        Ends { trims_start: true, trims_end: false },
    ];

    fn of(self, spot: &Spot<'_>) -> Range<usize> {
        let inner = spot.inner();
        let end = if self.trims_end { inner.end } else { spot.text.len() };
        (if self.trims_start { inner.start } else { 0 }).min(end)..end
    }
}

struct Search<'a> {
    template: &'a ChatTemplate,
    messages: &'a [Message],
    add_generation_prompt: bool,
    /// The rendering without marks.
    real: &'a str,
    /// Renderings that may still be made.
    left: usize,
}

/// Where marks at a place of a text stand in the rendering: nowhere, if it leaves them out.
#[derive(Clone, Debug)]
struct Anchor {
    at: usize,
    offsets: Vec<usize>,
}

/// A stretch that the rendering and a text share, in bytes of each.
#[derive(Clone, Debug)]
struct Stretch {
    real: Range<usize>,
    own: Range<usize>,
}

/// What is known of a text while it is looked at with others.
#[derive(Clone, Default)]
struct Known {
    placed: Option<PlacedText>,
    /// Of its ends, where they do not stand together.
    anchors: Vec<Anchor>,
    /// Whether the marks were put within the white space around it, some of which may be there too.
    is_trimmed: bool,
}

impl<'a> Search<'a> {
    fn new(template: &'a ChatTemplate, messages: &'a [Message], add_generation_prompt: bool, real: &'a str) -> Search<'a> {
        let n_texts: usize = messages.iter().map(|message| message.content.len()).sum();
        let left = n_texts.saturating_mul(RENDERINGS_A_TEXT).saturating_add(RENDERINGS).min(MAX_RENDERINGS);
        Search { template, messages, add_generation_prompt, real, left }
    }

    fn places(&mut self) -> Vec<PlacedText> {
        let messages = self.messages;
        let spots: Vec<Spot<'_>> = messages
            .iter()
            .enumerate()
            .flat_map(|(message, of)| {
                of.content.iter().enumerate().filter_map(move |(part, content)| match content {
                    Part::Text(text) => Some(Spot { message, part, text }),
                    Part::Image => None,
                })
            })
            .collect();
        let nothing = PlacedText { place: Place::Known, ranges: Vec::new() };
        let known = |spot: &Spot<'_>| Known { placed: spot.text.is_empty().then(|| nothing.clone()), ..Known::default() };
        let mut found: Vec<Known> = spots.iter().map(known).collect();
        // All together, then those of one role, then each alone: templates treat roles differently.
        self.try_ends(&spots, &mut found, |_| true);
        let mut roles: Vec<&str> = Vec::new();
        for message in messages {
            if !roles.contains(&message.role.as_str()) {
                roles.push(&message.role);
            }
        }
        if roles.len() > 1 {
            for role in roles {
                self.try_ends(&spots, &mut found, |spot| messages.get(spot.message).is_some_and(|message| message.role == role));
            }
        }
        for (spot, known) in spots.iter().zip(&mut found).filter(|(_, known)| known.placed.is_some() && known.is_trimmed) {
            self.widen(spot, known);
        }
        for (number, spot) in spots.iter().enumerate() {
            if found.get(number).is_some_and(|known| known.placed.is_none() && known.anchors.is_empty()) {
                self.try_ends(&spots, &mut found, |other| (other.message, other.part) == (spot.message, spot.part));
            }
            if let Some(known) = found.get_mut(number).filter(|known| known.placed.is_none()) {
                known.placed = Some(self.alone(spot, &known.anchors));
            }
        }
        let mut places: Vec<PlacedText> = vec![nothing; messages.len()];
        for (spot, found) in spots.iter().zip(found) {
            if let (Some(place), Some(found)) = (places.get_mut(spot.message), found.placed) {
                place.place = place.place.max(found.place);
                place.ranges.extend(found.ranges);
            }
        }
        self.take_only_occurrences(&mut places);
        places
    }

    /// Marks the ends of all texts that `wanted` names and that have not been found, in each of the ways templates trim.
    fn try_ends(&mut self, spots: &[Spot<'_>], found: &mut [Known], wanted: impl Fn(&Spot<'_>) -> bool) {
        for ends in Ends::ALL {
            let numbers: Vec<usize> = (0..spots.len())
                .filter(|number| found.get(*number).is_some_and(|known| known.placed.is_none() && known.anchors.is_empty()))
                .filter(|number| spots.get(*number).is_some_and(&wanted))
                .collect();
            // Where there is no white space around them, trimming makes no difference.
            let of = |number: &usize| spots.get(*number).map(|spot| (*spot, ends.of(spot)));
            let is_new = ends.is_first() || numbers.iter().filter_map(of).any(|(spot, at)| at != (0..spot.text.len()));
            if numbers.is_empty() || !is_new {
                continue;
            }
            let edits: Vec<Edit> = numbers
                .iter()
                .filter_map(of)
                .flat_map(|(spot, at)| [at.start, at.end].map(|at| Edit::insert(spot.message, spot.part, at)))
                .collect();
            let Some(marked) = self.probe(&edits) else { continue };
            for (number, marks) in numbers.iter().zip(marked.chunks(2)) {
                let [open, close] = marks else { continue };
                let Some((known, spot)) = found.get_mut(*number).zip(spots.get(*number)) else { continue };
                known.is_trimmed = ends.of(spot) != (0..spot.text.len());
                let is_there = !open.is_empty() || spot.text.trim().is_empty();
                known.placed = pairs(open, close).filter(|_| is_there).map(|ranges| PlacedText { place: Place::Known, ranges });
                if known.placed.is_none() {
                    // It is cut, or left out, it seems; some of it may be there all the same.
                    let at = ends.of(spot);
                    let anchor = |at, offsets: &Vec<usize>| Anchor { at, offsets: offsets.clone() };
                    known.anchors = vec![anchor(at.end, close), anchor(at.start, open)];
                }
            }
        }
    }

    /// A text that was found without the white space around it: with what of that is there.
    fn widen(&mut self, spot: &Spot<'_>, known: &mut Known) {
        for ends in Ends::ALL.into_iter().filter(|ends| !(ends.trims_start && ends.trims_end)) {
            let at = ends.of(spot);
            let edits = [at.start, at.end].map(|at| Edit::insert(spot.message, spot.part, at));
            let Some(marked) = self.probe(&edits) else { continue };
            let [open, close] = marked.as_slice() else { continue };
            if let Some(ranges) = pairs(open, close).filter(|ranges| !ranges.is_empty()) {
                known.placed = Some(PlacedText { place: Place::Known, ranges });
                return;
            }
        }
    }

    /// One text whose ends cannot be marked both, or are not there.
    fn alone(&mut self, spot: &Spot<'_>, anchors: &[Anchor]) -> PlacedText {
        if spot.text.trim().is_empty() {
            // Nothing of it is there to be seen, unless it is.
            let place = if self.real.contains(spot.text) { Place::Unknown } else { Place::Known };
            return PlacedText { place, ranges: Vec::new() };
        }
        let inner = spot.inner();
        let inner_ends = [inner.start, inner.end];
        let mut found: Vec<Stretch> = Vec::new();
        for anchor in anchors {
            self.reach_from(spot, anchor, &mut found);
        }
        let is_there = |anchor: &&Anchor| !anchor.offsets.is_empty();
        // Where all but one end is cut off, that end stands alone.
        let mut n_ends = anchors.iter().filter(is_there).count();
        let mut is_gone = true;
        for at in places_to_try(spot, n_ends == 0) {
            if found.iter().any(|stretch| stretch.own.start <= at && at <= stretch.own.end) {
                continue;
            }
            match self.probe_one(spot, at) {
                Some(offsets) => {
                    if inner_ends.contains(&at) {
                        n_ends += usize::from(!offsets.is_empty());
                    } else {
                        is_gone &= offsets.is_empty();
                    }
                    self.reach_from(spot, &Anchor { at, offsets }, &mut found);
                }
                // Within, a mark may divide a word that the template looks for.
                None => is_gone &= !inner_ends.contains(&at),
            }
        }
        // A mark around which nothing is the same is in words that the template writes otherwise.
        found.retain(|stretch| !stretch.real.is_empty());
        if !found.is_empty() {
            return PlacedText { place: Place::Known, ranges: merged(found.into_iter().map(|stretch| stretch.real).collect()) };
        }
        // A template may leave out marks alone; then the words are there, and are not there where others are said.
        if is_gone
            && n_ends < 2
            && (!self.real.contains(spot.text.trim()) || self.is_there_without(spot.message, spot.text.trim()))
        {
            return PlacedText { place: Place::Known, ranges: Vec::new() };
        }
        self.exchanged(spot).unwrap_or(PlacedText { place: Place::Unknown, ranges: Vec::new() })
    }

    /// Adds what the rendering and the text share around each place where a mark stands.
    fn reach_from(&mut self, spot: &Spot<'_>, anchor: &Anchor, found: &mut Vec<Stretch>) {
        for offset in &anchor.offsets {
            if !found.iter().any(|stretch| stretch.real.start <= *offset && *offset <= stretch.real.end) {
                let stretch = self.reach(spot, anchor.at, *offset);
                found.push(stretch);
            }
        }
    }

    /// From a place of the text that is known on, as far to both sides as the rendering says what the text says. Where that
    /// ends within the text, it must be a place that can be marked, since a template may write by chance what it cut off.
    fn reach(&mut self, spot: &Spot<'_>, at: usize, offset: usize) -> Stretch {
        let real = self.real;
        let inner = spot.inner();
        let (before, after) = (real.get(..offset).unwrap_or_default(), real.get(offset..).unwrap_or_default());
        let own_before = spot.text.get(inner.start.min(at)..at).unwrap_or_default();
        let own_after = spot.text.get(at..inner.end.max(at)).unwrap_or_default();
        let mut back = same(before.chars().rev().zip(own_before.chars().rev()));
        let mut on = same(after.chars().zip(own_after.chars()));
        let (n_back, n_on) = (back.len(), on.len());
        while let Some(length) = back.last().filter(|length| length.own < own_before.len()).copied() {
            let there = offset.saturating_sub(length.real);
            if back.len() + STEPS_TO_CHECK <= n_back || self.is_at(spot, at - length.own, there) {
                break;
            }
            back.pop();
        }
        while let Some(length) = on.last().filter(|length| length.own < own_after.len()).copied() {
            if on.len() + STEPS_TO_CHECK <= n_on || self.is_at(spot, at + length.own, offset + length.real) {
                break;
            }
            on.pop();
        }
        let none = Same { real: 0, own: 0 };
        let (back, on) = (back.last().copied().unwrap_or(none), on.last().copied().unwrap_or(none));
        Stretch { real: offset.saturating_sub(back.real)..offset + on.real, own: at - back.own..at + on.own }
    }

    /// Whether a mark at that place of a text comes to stand there.
    fn is_at(&mut self, spot: &Spot<'_>, at: usize, offset: usize) -> bool {
        self.probe_one(spot, at).is_some_and(|offsets| offsets.contains(&offset))
    }

    /// A text whose length may not change: its first and last character are exchanged for marks.
    fn exchanged(&mut self, spot: &Spot<'_>) -> Option<PlacedText> {
        for range in [0..spot.text.len(), spot.inner()] {
            let text = spot.text.get(range.clone())?;
            let first = Edit::exchange(spot.message, spot.part, range.start, text.chars().next()?);
            let last = text.chars().next_back()?;
            let last_at = range.end - last.len_utf8();
            let mut edits = vec![first];
            if last_at > range.start {
                edits.push(Edit::exchange(spot.message, spot.part, last_at, last));
            }
            let Some(marked) = self.probe_ranges(&edits) else { continue };
            let (Some(first), Some(last)) = (marked.first(), marked.last()) else { continue };
            let (open, close): (Vec<usize>, Vec<usize>) =
                (first.iter().map(|range| range.start).collect(), last.iter().map(|range| range.end).collect());
            if let Some(ranges) = pairs(&open, &close).filter(|ranges| !ranges.is_empty()) {
                return Some(PlacedText { place: Place::Known, ranges });
            }
        }
        None
    }

    /// Texts of which nothing could be marked, and which stand in the rendering just once, outside of the others: there they
    /// are likely to be. What stands there just as well when they are others is the template's.
    fn take_only_occurrences(&mut self, places: &mut [PlacedText]) {
        for number in 0..places.len() {
            if places.get(number).is_none_or(|place| place.place != Place::Unknown) {
                continue;
            }
            let Some(text) = self.messages.get(number).and_then(Message::text) else { continue };
            let text = text.trim();
            let others: Vec<Range<usize>> = places.iter().flat_map(|place| place.ranges.iter().cloned()).collect();
            let mut occurrences = self.real.match_indices(text).map(|(at, found)| at..at + found.len());
            let (Some(only), None) = (occurrences.next(), occurrences.next()) else { continue };
            let is_apart = others.iter().all(|other| other.end <= only.start || only.end <= other.start);
            if text.is_empty() || !is_apart || self.is_there_without(number, text) {
                continue;
            }
            if let Some(place) = places.get_mut(number) {
                *place = PlacedText { place: Place::OnlyOccurrence, ranges: vec![only] };
            }
        }
    }

    /// Whether `text` stands in the rendering where the message says something else.
    fn is_there_without(&mut self, message: usize, text: &str) -> bool {
        let Some(other) = Alphabet::unused(&[self.real, text]).and_then(|alphabet| alphabet.marks(1).pop()) else { return true };
        let mut messages = self.messages.to_vec();
        if let Some(message) = messages.get_mut(message) {
            for part in &mut message.content {
                if let Part::Text(text) = part {
                    text.clone_from(&other);
                }
            }
        }
        self.left = self.left.saturating_sub(1);
        self.template.render(&messages, self.add_generation_prompt).is_ok_and(|rendered| rendered.contains(text))
    }

    fn probe_one(&mut self, spot: &Spot<'_>, at: usize) -> Option<Vec<usize>> {
        self.probe(&[Edit::insert(spot.message, spot.part, at)])?.pop()
    }

    /// Where the marks of some insertions stand in the rendering without marks, each as often as the template wrote it; `None`
    /// where they change anything else.
    fn probe(&mut self, edits: &[Edit]) -> Option<Vec<Vec<usize>>> {
        let ranges = self.probe_ranges(edits)?;
        Some(ranges.into_iter().map(|of| of.into_iter().map(|range| range.start).collect()).collect())
    }

    /// The same with the ranges of what was exchanged.
    fn probe_ranges(&mut self, edits: &[Edit]) -> Option<Vec<Vec<Range<usize>>>> {
        let texts = self.messages.iter().flat_map(|message| &message.content);
        let mut all: Vec<&str> =
            texts.filter_map(|part| if let Part::Text(text) = part { Some(text.as_str()) } else { None }).collect();
        all.push(self.real);
        let mut gone = None;
        for alphabet in Alphabet::all_unused(&all, edits) {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            let marked = Marked::new(self.messages, edits, &alphabet)?;
            let rendered = self.template.render(&marked.messages, self.add_generation_prompt).ok();
            match rendered.and_then(|rendered| compared(self.real, &rendered, &marked.marks, edits)) {
                // It may be that only such characters are left out.
                Some(found) if found.iter().all(Vec::is_empty) => gone = Some(found),
                Some(found) => return Some(found),
                None => {}
            }
        }
        gone
    }
}

impl Ends {
    fn is_first(self) -> bool {
        !self.trims_start && !self.trims_end
    }
}

/// Places of a text at which a mark is tried: its ends, if these are not known, and some within.
fn places_to_try(spot: &Spot<'_>, with_ends: bool) -> Vec<usize> {
    let inner = spot.inner();
    let (mut places, n_within) =
        if with_ends { (vec![inner.end, inner.start], PLACES_WITHIN) } else { (Vec::new(), MORE_PLACES_WITHIN) };
    let within = spot.text.get(inner.clone()).unwrap_or_default();
    let starts: Vec<usize> = within.char_indices().map(|(at, _)| inner.start + at).skip(1).collect();
    let every = starts.len().div_ceil(n_within).max(1);
    places.extend(starts.into_iter().step_by(every));
    places
}

/// How far two texts are the same but for their case, in bytes of each.
#[derive(Clone, Copy)]
struct Same {
    real: usize,
    own: usize,
}

/// The beginnings that two texts share, the longest last. A template may write a letter in the other case.
fn same(pairs: impl Iterator<Item = (char, char)>) -> Vec<Same> {
    let is_same = |a: char, b: char| a == b || a.to_lowercase().eq(b.to_lowercase());
    let mut reached = Same { real: 0, own: 0 };
    let longer = pairs.take_while(|(real, own)| is_same(*real, *own)).map(|(real, own)| {
        reached = Same { real: reached.real + real.len_utf8(), own: reached.own + own.len_utf8() };
        reached
    });
    longer.collect()
}
