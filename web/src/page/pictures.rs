//! Pictures: taken in, handed to the worker, let go.

use super::actions::Page;
use super::browser::{self, message};
use super::state::{ObjectUrl, Picture};
use super::worker_link::base;
use crate::messages::{PictureKind, PictureReport, Request};
use atman::Suppression;
use leptos::prelude::*;
use report::{amount, label};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use wasm_bindgen_futures::spawn_local;
use web_sys::{File, Url};

/// The longest file that is read: what a camera writes, and no film.
const MOST_BYTES: f64 = 40e6;

/// Numbers of pictures.
static IDS: AtomicU32 = AtomicU32::new(1);

/// Whether a file says of itself that it is a picture, of whatever kind.
pub(super) fn says_picture(file: &File) -> bool {
    let name = file.name().to_ascii_lowercase();
    file.type_().starts_with("image/") || [".png", ".jpg", ".jpeg", ".webp"].iter().any(|end| name.ends_with(end))
}

impl Page {
    /// Adds files of this machine to the prompt's pictures.
    pub(super) fn add_pictures(&self, files: Vec<File>) {
        let page = *self;
        page.state.engine.problem.set(None);
        spawn_local(async move {
            for file in files {
                let name = file.name();
                if file.size() > MOST_BYTES {
                    let (size, most) = (amount::bytes(file.size() as u64), amount::bytes(MOST_BYTES as u64));
                    page.refuse(&name, &format!("it has {size}, and pictures of up to {most} are read"));
                    continue;
                }
                match browser::bytes(&file).await {
                    Ok(bytes) => page.add_picture(&name, bytes, None),
                    Err(error) => page.refuse(&name, &message(&error)),
                }
            }
        });
    }

    /// Takes the pictures of an example, by their names among the site's files, in place of those that are there.
    pub(super) fn set_example_pictures(&self, names: Vec<String>) {
        let page = *self;
        let is_there = self.state.question.pictures.with_untracked(|pictures| {
            pictures.iter().map(|picture| picture.example.as_deref()).eq(names.iter().map(|name| Some(name.as_str())))
        });
        let turn = self.next_turn();
        if is_there {
            return;
        }
        self.state.question.pictures.set(Vec::new());
        self.drop_unused();
        spawn_local(async move {
            for name in names {
                let fetched = browser::fetched(&format!("{}pictures/{name}", base())).await;
                if page.state.question.picture_turn.get_value() != turn {
                    return;
                }
                match fetched {
                    Some(bytes) => page.add_picture(&name, bytes, Some(name.clone())),
                    None => page.refuse(&name, "it could not be fetched from this site"),
                }
            }
        });
    }

    /// All pictures are replaced: those of before that are still on their way come too late.
    fn next_turn(&self) -> u32 {
        let turn = self.state.question.picture_turn;
        turn.update_value(|turn| *turn = turn.wrapping_add(1));
        turn.get_value()
    }

    fn add_picture(&self, name: &str, bytes: Vec<u8>, example: Option<String>) {
        let Some(kind) = PictureKind::of(&bytes) else {
            return self.refuse(name, "it is no PNG, JPEG or WebP picture");
        };
        let url = match browser::blob_of_bytes(&bytes, kind.mime()).and_then(|blob| Url::create_object_url_with_blob(&blob)) {
            Ok(url) => Arc::new(ObjectUrl(url)),
            Err(error) => return self.refuse(name, &message(&error)),
        };
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        let picture = Picture { id, name: name.to_owned(), bytes: Arc::new(bytes), url, size_px: None, example };
        self.hand_over(&picture);
        let is_first_own = picture.example.is_none() && self.state.question.pictures.with_untracked(Vec::is_empty);
        self.state.question.pictures.update(|pictures| pictures.push(picture));
        if is_first_own {
            self.set_damping_for(1);
        }
    }

    fn hand_over(&self, picture: &Picture) {
        self.worker.ask_with_bytes(Request::TakePicture { id: picture.id, name: picture.name.clone() }, &picture.bytes);
        self.state.question.handed.update_value(|handed| handed.push(picture.id));
    }

    /// Hands all pictures over again, to a worker that was started anew.
    pub(super) fn hand_over_all(&self) {
        for picture in self.used_pictures() {
            self.hand_over(&picture);
        }
    }

    /// What the worker says of a picture.
    pub(super) fn picture_looked_at(&self, report: &PictureReport) {
        let pictures = self.state.question.pictures;
        let name =
            pictures.with_untracked(|all| all.iter().find(|picture| picture.id == report.id).map(|picture| picture.name.clone()));
        let Some(name) = name else { return };
        match &report.problem {
            Some(problem) => {
                pictures.update(|all| all.retain(|picture| picture.id != report.id));
                self.refuse(&name, problem);
            }
            None => {
                pictures.update(|all| {
                    if let Some(picture) = all.iter_mut().find(|picture| picture.id == report.id) {
                        picture.size_px = Some((report.width_px, report.height_px));
                    }
                });
                self.state.engine.say(format!("Picture {} is there.", label(&name)));
            }
        }
    }

    /// Takes what was there last in place of what is there now, which can be had back in turn.
    pub(super) fn bring_back(&self) {
        let pictures = self.state.question.pictures;
        let had_any = pictures.with_untracked(|pictures| !pictures.is_empty());
        self.next_turn();
        self.state.question.bring_back();
        let n_pictures = pictures.with_untracked(Vec::len);
        if had_any != (n_pictures > 0) {
            self.set_damping_for(n_pictures);
        }
        let handed = self.state.question.handed;
        for picture in pictures.get_untracked() {
            if handed.with_value(|handed| !handed.contains(&picture.id)) {
                self.hand_over(&picture);
            }
        }
        self.drop_unused();
    }

    /// Takes a picture away from the prompt.
    pub(super) fn remove_picture(&self, id: u32) {
        self.state.question.pictures.update(|pictures| pictures.retain(|picture| picture.id != id));
        if self.state.question.pictures.with_untracked(Vec::is_empty) {
            self.set_damping_for(0);
        }
        self.drop_unused();
    }

    /// Damps as suits a prompt with so many pictures.
    pub(super) fn set_damping_for(&self, n_images: usize) {
        let Suppression { factor, threshold, .. } = Suppression::of_prompt(n_images);
        self.state.settings.update(|settings| {
            settings.suppression.factor = factor;
            settings.suppression.threshold = threshold;
        });
    }

    /// The pictures of the question, and of the explanation that is shown.
    fn used_pictures(&self) -> Vec<Picture> {
        let mut used = self.state.question.pictures.get_untracked();
        for picture in untrack(|| self.state.shown.pictures()) {
            if used.iter().all(|other| other.id != picture.id) {
                used.push(picture);
            }
        }
        used
    }

    /// Has the worker let go of pictures that nothing shows any more.
    pub(super) fn drop_unused(&self) {
        let used: Vec<u32> = self.used_pictures().iter().map(|picture| picture.id).collect();
        let handed = self.state.question.handed;
        for id in handed.with_value(|handed| handed.iter().copied().filter(|id| !used.contains(id)).collect::<Vec<_>>()) {
            self.worker.ask(Request::DropPicture { id });
        }
        handed.set_value(used);
    }

    fn refuse(&self, name: &str, why: &str) {
        self.state.engine.fail(format!("{} cannot be used as a picture: {why}.", label(name)));
    }
}
