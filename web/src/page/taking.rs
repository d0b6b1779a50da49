//! Files that a person drops or picks. Pictures and texts go into the prompt; a model's files are looked at before they are
//! chosen, so that what is no model takes nothing away; the rest is refused where it was dropped.

use super::actions::Page;
use super::browser::{self, message};
use super::pictures;
use super::state::{Examined, Place};
use crate::messages::{ModelFacts, ModelFrom, Request};
use crate::selected::Selected;
use leptos::prelude::*;
use report::{amount, label};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::File;

/// The longest text that is read: no model here takes as much.
const MOST_TEXT_BYTES: f64 = 2e6;

/// What a GGUF file begins with.
const GGUF: &[u8] = b"GGUF";

impl Page {
    /// Takes files, whatever they are. What there is to say of them is said at `at`.
    pub(super) fn take_files(&self, files: Vec<File>, at: Place) {
        let page = *self;
        page.state.engine.problem.set(None);
        let (pictures, others): (Vec<File>, Vec<File>) = files.into_iter().partition(pictures::says_picture);
        if !pictures.is_empty() {
            page.add_pictures(pictures);
        }
        spawn_local(async move {
            let mut is_model = false;
            for file in &others {
                is_model = is_model || holds_weights(file).await;
            }
            // What lies beside weights belongs to them.
            if is_model {
                return page.examine(others, at);
            }
            for file in others {
                if let Err(why) = page.add_text(&file).await {
                    page.state.engine.fail_at(at, format!("{} cannot be used here: {why}.", label(&file.name())));
                }
            }
        });
    }

    /// Adds a text to the prompt; what stands there stays.
    async fn add_text(&self, file: &File) -> Result<(), String> {
        if file.size() > MOST_TEXT_BYTES {
            let (size, most) = (amount::bytes(file.size() as u64), amount::bytes(MOST_TEXT_BYTES as u64));
            return Err(format!("it has {size}, and texts of up to {most} are read"));
        }
        let bytes = browser::bytes(file).await.map_err(|error: JsValue| message(&error))?;
        let text = std::str::from_utf8(&bytes).ok().filter(|text| !text.contains('\0'));
        let text =
            text.ok_or("it is no picture, no model (a GGUF file, or safetensors with their config.json), and no text in UTF-8")?;
        // A byte order mark says how a text is stored, and is no part of it.
        let text = text.trim_start_matches('\u{feff}');
        self.state.question.keep_draft();
        self.state.question.prompt.update(|prompt| {
            if prompt.trim().is_empty() {
                prompt.clear();
            } else {
                prompt.push_str("\n\n");
            }
            prompt.push_str(text);
        });
        self.state.engine.say(format!("{} was added to the prompt.", label(&file.name())));
        Ok(())
    }

    /// Looks at the files of a model, to choose it if it is one.
    pub(super) fn examine(&self, files: Vec<File>, at: Place) {
        if files.is_empty() {
            return;
        }
        let asked = self.worker.ask_with(Request::Describe { from: ModelFrom::Picked }, &files);
        let before = self.state.library.examined.try_update_value(|slot| slot.replace(Examined { asked, files, at })).flatten();
        if let Some(before) = before {
            self.worker.ask(Request::Cancel { asked: before.asked });
        }
    }

    /// What was looked at is a model, and is chosen.
    pub(super) fn choose_examined(&self, id: Option<u32>, facts: ModelFacts) {
        let Some(Examined { files, .. }) = self.take_examined(id) else { return };
        let library = self.state.library;
        let selected = Selected::Files(files.iter().map(File::name).collect());
        library.files.set_value(files);
        library.loaded.update(|loaded| {
            // Files of the same names may hold something else: what is loaded is no longer what these names choose.
            if let Some((of, _)) = loaded.as_mut().filter(|(of, _)| *of == selected) {
                *of = Selected::Nothing;
            }
        });
        self.leave_loading(&selected);
        self.stop_looking();
        library.selected.set(selected);
        library.facts.set(Some(facts));
    }

    /// What was looked at is no model. What is chosen and what is loaded stay. Nothing is done where `id` is that of something
    /// else.
    pub(super) fn refuse_examined(&self, id: Option<u32>, message: String) {
        if let Some(Examined { at, .. }) = self.take_examined(id) {
            self.state.engine.fail_at(at, message);
        }
    }

    fn take_examined(&self, id: Option<u32>) -> Option<Examined> {
        let is_meant = |examined: &mut Examined| Some(examined.asked) == id;
        self.state.library.examined.try_update_value(|slot| slot.take_if(is_meant)).flatten()
    }
}

/// Whether a file says that it holds a model's weights.
async fn holds_weights(file: &File) -> bool {
    let name = file.name().to_ascii_lowercase();
    if name.ends_with(".gguf") || name.ends_with(".safetensors") {
        return true;
    }
    let Ok(beginning) = file.slice_with_f64_and_f64(0.0, GGUF.len() as f64) else { return false };
    browser::bytes(&beginning).await.is_ok_and(|bytes| bytes == GGUF)
}
