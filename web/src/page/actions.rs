//! What buttons do.

use super::state::{Activity, Origin, State, Steered, Then, View, Writing};
use super::worker_link::{WorkerLink, base};
use crate::messages::{Generate, ModelFrom, Request, Steering};
use crate::selected::Selected;
use leptos::prelude::*;
use report::Document;

/// State and worker, to be copied to wherever something is done.
#[derive(Clone, Copy)]
pub(super) struct Page {
    pub(super) state: State,
    pub(super) worker: WorkerLink,
}

/// The page, from anywhere within it.
pub(super) fn page() -> Page {
    expect_context()
}

impl Page {
    /// Chooses the model that a person names.
    pub(super) fn select(&self, selected: Selected) {
        self.state.engine.problem.set(None);
        self.leave_loading(&selected);
        self.take_up(selected);
        if let Some(entry) = untrack(|| self.state.library.entry()) {
            self.state.question.chat.set(entry.chat);
        }
        self.load_built_in();
    }

    /// Whoever chooses another model waits no longer for the one that is being loaded.
    pub(super) fn leave_loading(&self, selected: &Selected) {
        let State { engine, library, .. } = self.state;
        let is_other = library.selected.with_untracked(|before| before != selected);
        if is_other && untrack(|| engine.is_loading()) {
            self.stop();
            engine.await_nothing();
        }
    }

    /// Loads the chosen model if it comes with the page and there is a device for it: it need not be asked for.
    pub(super) fn load_built_in(&self) {
        let State { engine, library, .. } = self.state;
        let is_idle = engine.activity.get_untracked() == Activity::Idle && !untrack(|| engine.is_starting());
        if is_idle && untrack(|| library.is_built_in() && !library.is_ready()) {
            self.begin_loading();
        }
    }

    /// Chooses a model, and finds out what it takes.
    pub(super) fn take_up(&self, selected: Selected) {
        let library = self.state.library;
        self.stop_looking();
        library.facts.set(None);
        library.selected.set(selected.clone());
        match selected {
            Selected::Catalogue(name) => {
                library.facts.set(weights::catalogue::find(&name).map(|entry| library.facts_of(entry)));
            }
            Selected::Nothing => {}
            Selected::Hub(repository) if repository.trim().is_empty() => {}
            Selected::Files(names) if names.is_empty() => {}
            Selected::Hub(_) | Selected::Kept(_) | Selected::Files(_) => {
                if let Some(from) = library.from(&base()) {
                    library.described_by.set(Some(self.send(|from| Request::Describe { from }, from)));
                }
            }
        }
    }

    /// Nobody wants to know any more what was chosen before.
    pub(super) fn stop_looking(&self) {
        if let Some(asked) = self.state.library.described_by.try_update(Option::take).flatten() {
            self.worker.ask(Request::Cancel { asked });
        }
    }

    fn send(&self, request: impl Fn(ModelFrom) -> Request, from: ModelFrom) -> u32 {
        let files = if from == ModelFrom::Picked { self.state.library.files.get_value() } else { Vec::new() };
        self.worker.ask_with(request(from), &files)
    }

    /// Loads the chosen model.
    pub(super) fn load(&self) {
        self.state.engine.problem.set(None);
        self.begin_loading();
    }

    /// The same where nobody asked for it: what there is to say of something else stays.
    fn begin_loading(&self) {
        let State { engine, library, .. } = self.state;
        let Some(from) = library.from(&base()) else {
            engine.then.set(None);
            engine.fail("No model is chosen: choose one in the list above.");
            return;
        };
        engine.say("Loading the model.");
        let id = self.send(|from| Request::Load { from }, from);
        library.note_asked(id);
        let phase = crate::messages::LoadPhase::Fetching;
        engine.begin(id, Activity::Loading { phase, done_bytes: 0, total_bytes: 0 });
    }

    /// Does what waits, now that the model is there.
    pub(super) fn go_on_with(&self, then: Option<Then>) {
        match then {
            Some(Then::Generate) => self.generate(),
            Some(Then::Explain) => self.explain(),
            Some(Then::Compare(alternative)) => self.compare(alternative),
            Some(Then::ExplainFirst(ask)) if untrack(|| self.state.ask()) == *ask => self.explain_in_place(false),
            Some(Then::ExplainFirst(_)) => {}
            Some(Then::Steer(steered)) => self.steer(steered),
            None => {}
        }
    }

    /// Whether the chosen model is on the device; if not, it is loaded and `then` is done.
    fn has_model(&self, then: Then) -> bool {
        if untrack(|| self.state.library.is_ready()) {
            return true;
        }
        self.state.engine.then.set(Some(then));
        self.load();
        false
    }

    /// Whether the chosen model takes all that the prompt is made of. If not, that is said beside the pictures.
    fn takes_pictures(&self) -> bool {
        let is_blind = untrack(|| self.state.is_blind());
        if is_blind {
            self.state.engine.say(untrack(|| self.state.blindness()));
        }
        !is_blind
    }

    /// Whether there is a prompt; if not, says so.
    fn has_prompt(&self) -> bool {
        let has = !self.state.question.prompt.with_untracked(|prompt| prompt.trim().is_empty());
        if !has {
            self.state.engine.fail("There is no prompt yet: write one, or take one of the examples.");
        }
        has
    }

    /// Has the model write an answer.
    pub(super) fn generate(&self) {
        let State { engine, question, .. } = self.state;
        if !self.has_prompt() || !self.takes_pictures() || !self.has_model(Then::Generate) {
            return;
        }
        engine.problem.set(None);
        question.empty_answer();
        engine.say("The model is writing.");
        let (prompt, how) = untrack(|| (question.prompt_text(), question.writing()));
        question.how.set_value(how);
        let Writing { sampling, max_tokens } = how;
        self.stop_planning();
        let id = self.worker.ask(Request::Generate(Generate { prompt, sampling, max_tokens, steering: None }));
        engine.begin(id, Activity::Writing);
    }

    /// Explains the question as it stands, and brings what comes of it into view.
    pub(super) fn explain(&self) {
        self.explain_in_place(true);
    }

    fn explain_in_place(&self, is_looked_for: bool) {
        let State { engine, question, .. } = self.state;
        if !self.has_prompt() || !self.takes_pictures() {
            return;
        }
        if question.answer.with_untracked(String::is_empty) {
            engine.fail("There is no answer to explain yet: let the model write one with Generate, or type it yourself.");
            return;
        }
        if self.has_model(Then::Explain) {
            self.ask_for(untrack(|| self.state.origin()), is_looked_for);
        }
    }

    /// Explains what is on show anew, and why the answer was that rather than another: of its own question, whatever stands in
    /// the page by now.
    pub(super) fn compare(&self, alternative: String) {
        if !self.can_ask_on() {
            return;
        }
        let Some(mut origin) = untrack(|| self.state.shown.origin()) else { return };
        if self.has_model(Then::Compare(alternative.clone())) {
            origin.ask.alternatives = vec![alternative];
            self.ask_for(origin, true);
        }
    }

    /// Whether more can be asked about what is on show; if not, says so.
    fn can_ask_on(&self) -> bool {
        let problem = untrack(|| self.state.cannot_ask_on());
        let can = problem.is_none();
        if let Some(problem) = problem {
            self.state.engine.fail(problem);
        }
        can
    }

    /// Asks for an explanation. What is there stays until that begins.
    fn ask_for(&self, origin: Origin, is_looked_for: bool) {
        let ask = origin.ask.clone();
        self.state.shown.await_one(origin, is_looked_for);
        self.begin(Request::Explain(ask), "Explaining.");
    }

    fn begin(&self, request: Request, saying: &str) {
        self.state.engine.problem.set(None);
        self.stop_planning();
        let id = self.worker.ask(request);
        self.state.engine.begin(id, Activity::Explaining { done_rows: 0, total_rows: 0, seconds_left: None });
        self.state.engine.say(saying);
    }

    /// Has the question as it stands explained as soon as its model is loaded, unless it is changed before.
    pub(super) fn explain_once_loaded(&self) {
        let ask = untrack(|| self.state.ask());
        if !ask.prompt.text.is_empty() && !ask.target.text.is_empty() {
            self.state.engine.then.set(Some(Then::ExplainFirst(Box::new(ask))));
        }
    }

    /// Goes on with the explanation on show, which was stopped.
    pub(super) fn go_on(&self) {
        self.ask_on("Going on.", |of| Request::Continue { of });
    }

    /// Measures how far the explanation on show can be trusted for some tokens of the answer, `[first, one past the last]`; all if
    /// not given.
    pub(super) fn measure(&self, span: Option<[usize; 2]>) {
        self.ask_on("Measuring how far the explanation can be trusted.", |of| Request::Measure { of, span });
    }

    fn ask_on(&self, saying: &str, request: impl FnOnce(u32) -> Request) {
        if !self.can_ask_on() {
            return;
        }
        let Some((origin, of)) = untrack(|| self.state.shown.begun()) else { return };
        self.state.shown.await_one(origin, false);
        self.begin(request(of), saying);
    }

    /// Stops what is under way; what is done stays.
    pub(super) fn stop(&self) {
        self.state.engine.then.set(None);
        if let Some(asked) = self.state.engine.awaited() {
            self.worker.ask(Request::Cancel { asked });
        }
    }

    /// What was asked for has failed, or was stopped with nothing to show: what was there before is there still.
    pub(super) fn give_up(&self) {
        let State { engine, question, shown, steering, .. } = self.state;
        match engine.activity.get_untracked() {
            Activity::Steering => steering.give_up(),
            // Nothing was written in place of the answer that was there.
            Activity::Writing if question.answer.with_untracked(String::is_empty) => question.fill_emptied(),
            _ => {}
        }
        shown.give_up();
    }

    /// Takes a unit up among those that are steered.
    pub(super) fn add_steered(&self, unit: usize) {
        let name = untrack(|| self.state.shown.name(unit));
        self.add_all_steered(vec![unit], name);
    }

    /// Takes several units up as one, such as those of a region of a picture.
    pub(super) fn add_all_steered(&self, units: Vec<usize>, name: String) {
        let State { shown, steering, .. } = self.state;
        let positions: Vec<usize> = untrack(|| {
            shown.with_document(|document| {
                let all = document.map(|document| document.explanation.units.as_slice()).unwrap_or_default();
                units.iter().filter_map(|unit| all.get(*unit)).flat_map(|unit| unit.positions.iter().copied()).collect()
            })
        });
        if positions.is_empty() {
            return;
        }
        // What is steered begins as the explanation damped, so that what the model writes then is what the scores are about.
        let of_shown = |document: Option<&Document>| Some(document?.explanation.settings.suppression.factor);
        let Some(factor) = untrack(|| shown.with_document(of_shown)) else { return };
        steering.units.update(|steered| {
            if steered.iter().all(|of| of.units != units) {
                steered.push(Steered { units, name, positions, factor });
            }
        });
        shown.view.set(View::Steer);
    }

    /// Has the model write the answer on show again with some units damped or amplified: to the question that was explained, in
    /// the way that it was.
    pub(super) fn steer(&self, steered: Vec<Steered>) {
        let State { engine, shown, steering, .. } = self.state;
        if !self.can_ask_on() {
            return;
        }
        let Some(Origin { ask, writing, .. }) = untrack(|| shown.origin()) else { return };
        if !self.has_model(Then::Steer(steered.clone())) {
            return;
        }
        engine.problem.set(None);
        let suppression = ask.settings.suppression;
        let each = |steered: &Steered| steered.positions.iter().map(|p| (*p, steered.factor)).collect::<Vec<_>>();
        let asked = Steering {
            factors: steered.iter().flat_map(each).collect(),
            operator: suppression.operator,
            layers: suppression.layers,
        };
        let Writing { sampling, mut max_tokens } = writing;
        if ask.target.ids.is_none() {
            // What a person wrote says nothing of how long the model would go on.
            let n_target = untrack(|| {
                shown.with_document(|document| document.map_or(0, |document| document.explanation.target.tokens.len()))
            });
            max_tokens = max_tokens.min(n_target.max(1));
        }
        let old = untrack(|| shown.with_document(|document| document.map(|document| document.explanation.target.text.clone())));
        steering.begin(old.unwrap_or_default(), steered);
        engine.say("The model is writing again.");
        self.stop_planning();
        let generate = Generate { prompt: ask.prompt, sampling, max_tokens, steering: Some(asked) };
        let id = self.worker.ask(Request::Generate(generate));
        engine.begin(id, Activity::Steering);
    }

    /// Asks what explaining the question as it stands would take.
    pub(super) fn plan(&self) {
        let ask = untrack(|| self.state.ask());
        self.stop_planning();
        self.state.planned_by.set_value(Some(self.worker.ask(Request::Plan { ask })));
    }

    /// What would be asked next is not asked after what was planned before.
    fn stop_planning(&self) {
        if let Some(asked) = self.state.planned_by.try_update_value(Option::take).flatten() {
            self.worker.ask(Request::Cancel { asked });
        }
    }
}
