//! What the worker says, taken into the state.

use super::actions::Page;
use super::browser;
use super::state::{Activity, Place, Problem, State, Written};
use super::worker_link::WorkerLink;
use crate::messages::{Event, FailureKind, Request, WritingEnd};
use crate::selected::Selected;
use leptos::prelude::*;
use report::{Document, amount};

/// Takes in an event, and does what waited for it. `id` is the number of the request that it answers; what answers something
/// that is no longer waited for is dropped.
pub(super) fn apply(id: Option<u32>, event: Event, state: State, worker: WorkerLink) {
    let State { engine, library, question, shown, steering, .. } = state;
    let page = Page { state, worker };
    let is_awaited = engine.awaits(id);
    match event {
        Event::Ready => {
            worker.choose(untrack(|| worker.device()), state);
            page.hand_over_all();
        }
        Event::Device(report) => {
            engine.device.set(Some(report));
            if is_awaited && engine.activity.get_untracked() == Activity::Starting {
                engine.await_nothing();
                page.load_built_in();
            }
            // After the model, which is waited for.
            worker.ask(Request::ListKept);
        }
        Event::Picture(report) => page.picture_looked_at(&report),
        Event::Dropped { .. } => {}
        Event::Described(facts) if library.is_described_by(id) => {
            library.described_by.set(None);
            library.facts.set(Some(facts));
        }
        Event::Described(facts) => page.choose_examined(id, facts),
        Event::Progress { phase, done_bytes, total_bytes } if is_awaited => {
            // Bytes only ever grow; a total may become known, or turn out to be larger.
            let (reached, known) = match engine.activity.get_untracked() {
                Activity::Loading { done_bytes, total_bytes, .. } => (done_bytes, total_bytes),
                _ => (0, 0),
            };
            let (done_bytes, total_bytes) = (done_bytes.max(reached), total_bytes.max(known));
            engine.activity.set(Activity::Loading { phase, done_bytes, total_bytes });
        }
        Event::Loaded(report) => {
            worker.works();
            engine.say(format!("{} is ready.", report.name));
            library.take_loaded(report);
            if !untrack(|| library.is_built_in()) {
                worker.ask(Request::ListKept);
            }
            if is_awaited {
                engine.await_nothing();
                let then = engine.then.try_update(Option::take).flatten();
                page.go_on_with(then);
            }
        }
        Event::Unloaded => library.loaded.set(None),
        Event::Kept(kept) => library.kept.set(kept),
        Event::Token { text } if is_awaited => match engine.activity.get_untracked() {
            Activity::Steering => steering.grow(&text),
            _ => question.answer.update(|answer| answer.push_str(&text)),
        },
        Event::Generated(generated) if is_awaited => {
            let was = engine.activity.get_untracked();
            engine.await_nothing();
            let ending = match generated.end {
                WritingEnd::OfText => "The model ended its text.",
                WritingEnd::TokenLimit => "Stopped at the most tokens that were asked for.",
                WritingEnd::ContextFull => "The model can take no more text.",
                WritingEnd::Stopped => "Stopped.",
            };
            engine.say(format!("{ending} It wrote: {}", generated.target.text));
            match was {
                Activity::Steering => steering.end(generated.target.text),
                _ if generated.target.text.is_empty() && generated.end == WritingEnd::Stopped => question.fill_emptied(),
                _ => {
                    question.answer.set(generated.target.text.clone());
                    let how = question.how.get_value();
                    question.written.set(Some(Written { target: generated.target, end: generated.end, how }));
                }
            }
        }
        Event::Planned(planned) => {
            if state.planned_by.get_value() == id {
                state.planned.set(Some(planned));
            }
        }
        Event::Started(started) if is_awaited => {
            let begun = shown.begin(started);
            page.drop_unused();
            if !begun.has_same_units {
                steering.clear();
            } else if !begun.has_same_target {
                steering.forget_rewritten();
            }
            if begun.is_looked_for {
                // On a narrow screen it stands below what is in view. Once it has been drawn:
                request_animation_frame(|| browser::bring_into_view("why-title"));
            }
        }
        Event::Rows(rows) if is_awaited => {
            let (done_rows, total_rows, seconds_left) = (rows.done_rows, rows.total_rows, rows.seconds_left);
            engine.activity.set(Activity::Explaining { done_rows, total_rows, seconds_left });
            shown.grow(rows);
        }
        Event::Explained(document) if is_awaited => {
            engine.await_nothing();
            let partial = document.explanation.partial;
            shown.end(*document);
            engine.say(summary(state, partial));
        }
        Event::Rebuilding if is_awaited => {
            engine.say("The device was lost. It is opened again, and the work goes on where it was.")
        }
        Event::Cancelled if is_awaited => {
            page.give_up();
            engine.await_nothing();
            engine.say("Stopped.");
        }
        #[cfg(feature = "parity")]
        Event::Parity(_) | Event::Shipped { .. } => {}
        Event::Failed { message, kind } if is_awaited || id.is_none() => {
            let was_asked = match engine.activity.get_untracked() {
                Activity::Writing | Activity::Steering | Activity::Explaining { .. } => true,
                Activity::Starting | Activity::Idle | Activity::Loading { .. } => engine.then.with_untracked(Option::is_some),
            };
            let place = if was_asked { Place::Ask } else { Place::Model };
            page.give_up();
            engine.await_nothing();
            engine.then.set(None);
            engine.problem.set(Some(Problem { message: as_sentence(&message), kind, place }));
            if kind == FailureKind::Fatal {
                // What is shown stays; a new worker takes over, which has loaded nothing.
                library.loaded.set(None);
                engine.device.set(None);
                worker.restart(state);
            }
            if matches!(library.selected.get_untracked(), Selected::Kept(_) | Selected::Catalogue(_)) {
                worker.ask(Request::ListKept);
            }
        }
        // What was asked beside the work says so beside it: the work goes on, and what waits for it.
        Event::Failed { message, .. } if library.is_described_by(id) || library.forgotten_by.get_value() == id => {
            library.described_by.update(|described_by| *described_by = described_by.filter(|by| Some(*by) != id));
            engine.fail_at(Place::Model, as_sentence(&message));
        }
        Event::Failed { message, .. } => {
            // Anything else that fails is late.
            page.refuse_examined(id, as_sentence(&message));
        }
        // Late: something else has taken the place of what asked for it.
        Event::Progress { .. }
        | Event::Token { .. }
        | Event::Generated(_)
        | Event::Started(_)
        | Event::Rows(_)
        | Event::Explained(_)
        | Event::Rebuilding
        | Event::Cancelled => {}
    }
}

/// A message as a sentence of its own.
fn as_sentence(message: &str) -> String {
    let mut characters = message.chars();
    let is_word = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase());
    match characters.next() {
        // Not the name of a file or a model, which is as it is.
        Some(first) if message.split(' ').next().is_some_and(is_word) => first.to_uppercase().chain(characters).collect(),
        _ => message.to_owned(),
    }
}

/// The strongest unit, for those who listen to the page.
fn summary(state: State, partial: bool) -> String {
    let stopped = if partial { "Stopped; what is done stays. " } else { "" };
    let scores = state.shown.scores.get_untracked();
    let is_sink = |unit: usize| {
        let of = |document: Option<&Document>| document.and_then(|d| d.explanation.units.get(unit)).is_none_or(|unit| unit.sink);
        untrack(|| state.shown.with_document(of))
    };
    let known = scores.iter().enumerate().filter_map(|(unit, score)| Some((unit, (*score)?)));
    let strongest = known.filter(|(unit, _)| !is_sink(*unit)).max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
    match strongest {
        Some((unit, score)) => {
            let name = untrack(|| state.shown.name(unit));
            format!("{stopped}The strongest part is “{}”: {} nats.", name, amount::signed(score))
        }
        None => format!("{stopped}No part has a score."),
    }
}
