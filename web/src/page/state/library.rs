//! Models: which are there, which is chosen, which is loaded.

use crate::messages::{Kept, ModelFacts, ModelFrom, ModelReport};
use crate::selected::Selected;
use leptos::prelude::*;
use web_sys::File;
use weights::catalogue::{CATALOGUE, CatalogueEntry, Source};

/// Models.
#[derive(Clone, Copy)]
pub(in crate::page) struct LibraryState {
    /// File names of the models that this site carries.
    pub(in crate::page) carried: RwSignal<Vec<String>>,
    /// The models kept in this browser.
    pub(in crate::page) kept: RwSignal<Kept>,
    /// The one that is chosen.
    pub(in crate::page) selected: RwSignal<Selected>,
    /// What the person typed as a repository.
    pub(in crate::page) repository: RwSignal<String>,
    /// Files that were picked or dropped.
    pub(in crate::page) files: StoredValue<Vec<File>, LocalStorage>,
    /// What the chosen one is and takes; `None` while that is not known.
    pub(in crate::page) facts: RwSignal<Option<ModelFacts>>,
    /// Which model is on the device.
    pub(in crate::page) loaded: RwSignal<Option<(Selected, ModelReport)>>,
}

impl LibraryState {
    pub(super) fn new() -> Self {
        Self {
            carried: RwSignal::new(Vec::new()),
            kept: RwSignal::new(Kept::default()),
            selected: RwSignal::new(Selected::Nothing),
            repository: RwSignal::new(String::new()),
            files: StoredValue::new_local(Vec::new()),
            facts: RwSignal::new(None),
            loaded: RwSignal::new(None),
        }
    }

    /// Whether the chosen model is the one on the device.
    pub(in crate::page) fn is_ready(&self) -> bool {
        let selected = self.selected.get();
        self.loaded.with(|loaded| loaded.as_ref().is_some_and(|(of, _)| *of == selected))
    }

    /// Whether this site carries a catalogued model.
    pub(in crate::page) fn is_carried(&self, entry: &CatalogueEntry) -> bool {
        self.carried.with(|carried| carried.iter().any(|file| file == entry.file_name))
    }

    /// Where the chosen model is; `base` is the page's own address. `None` where nothing is chosen.
    pub(in crate::page) fn from(&self, base: &str) -> Option<ModelFrom> {
        match self.selected.get_untracked() {
            Selected::Nothing => None,
            Selected::Catalogue(name) => {
                let entry = weights::catalogue::find(&name)?;
                if untrack(|| self.is_carried(entry)) {
                    return Some(ModelFrom::Site {
                        url: format!("{base}models/{}", entry.file_name),
                        len_bytes: Some(entry.len_bytes),
                        sha256: Some(entry.sha256.to_owned()),
                    });
                }
                hub_name(entry).map(|repository| ModelFrom::Hub { repository })
            }
            Selected::Hub(repository) => Some(ModelFrom::Hub { repository }),
            Selected::Kept(id) => Some(ModelFrom::Kept { id }),
            Selected::Files(names) => (!names.is_empty()).then_some(ModelFrom::Picked),
        }
    }

    /// What is known of a catalogued model before anything is asked of any server.
    pub(in crate::page) fn facts_of(&self, entry: &CatalogueEntry) -> ModelFacts {
        ModelFacts {
            name: entry.title.to_owned(),
            download_bytes: entry.len_bytes,
            file_bytes: entry.len_bytes,
            memory_bytes: Some(entry.memory_bytes),
            licence: Some(entry.licence.to_owned()),
            choices: Vec::new(),
        }
    }

    /// A catalogued model that takes less memory than the chosen one.
    pub(in crate::page) fn smaller(&self) -> Option<&'static CatalogueEntry> {
        let needed = self.facts.get().and_then(|facts| facts.memory_bytes).unwrap_or(u64::MAX);
        let selected = self.selected.get();
        let is_other = |entry: &&CatalogueEntry| selected != Selected::Catalogue(entry.name.to_owned());
        CATALOGUE.iter().filter(is_other).filter(|entry| entry.memory_bytes < needed).min_by_key(|entry| entry.memory_bytes)
    }
}

/// What the hub calls a catalogued file.
fn hub_name(entry: &CatalogueEntry) -> Option<String> {
    entry.sources.iter().find_map(|source| match source {
        Source::HuggingFace { repository, revision, path } => Some(format!("{repository}@{revision}:{path}")),
        Source::PythonPackage { .. } => None,
    })
}
