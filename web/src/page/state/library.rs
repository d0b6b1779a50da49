//! Models: which are there, which is chosen, which is loaded.

use super::Place;
use crate::linked::ModelIdentity;
use crate::messages::{Kept, KeptModel, ModelFacts, ModelFrom, ModelReport, SiteFile};
use crate::selected::Selected;
use leptos::prelude::*;
use std::collections::HashMap;
use web_sys::File;
use weights::catalogue::{CATALOGUE, CatalogueEntry, CatalogueFile, Origin, Source};

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
    /// The number of the request that asks what the chosen one is, until that is known.
    pub(in crate::page) described_by: RwSignal<Option<u32>>,
    /// Files that are looked at: chosen if they are a model.
    pub(in crate::page) examined: StoredValue<Option<Examined>, LocalStorage>,
    /// The number of the request that deletes a kept one.
    pub(in crate::page) forgotten_by: StoredValue<Option<u32>>,
    /// What each request to load asked for, by its number: the worker says which of them it has loaded.
    asked: StoredValue<HashMap<u32, Selected>>,
    /// The model that the question was asked of, where a link says so.
    pub(in crate::page) expected: RwSignal<Option<ModelIdentity>>,
    /// Which model the worker has loaded, by its own word, and by which choice it was asked for.
    pub(in crate::page) loaded: RwSignal<Option<(Selected, ModelReport)>>,
}

/// Files of which the worker is asked what they are.
pub(in crate::page) struct Examined {
    /// The number of that request.
    pub(in crate::page) asked: u32,
    pub(in crate::page) files: Vec<File>,
    /// Where they were dropped or picked, and so where it is said if they are no model.
    pub(in crate::page) at: Place,
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
            described_by: RwSignal::new(None),
            examined: StoredValue::new_local(None),
            forgotten_by: StoredValue::new(None),
            asked: StoredValue::new(HashMap::new()),
            expected: RwSignal::new(None),
            loaded: RwSignal::new(None),
        }
    }

    /// Whether the chosen model is the one on the device.
    pub(in crate::page) fn is_ready(&self) -> bool {
        let selected = self.selected.get();
        self.loaded.with(|loaded| loaded.as_ref().is_some_and(|(of, _)| *of == selected))
    }

    /// Whether it is the request of that number that asks what the chosen model is.
    pub(in crate::page) fn is_described_by(&self, id: Option<u32>) -> bool {
        id.is_some() && self.described_by.get_untracked() == id
    }

    /// The chosen model was asked for by the request of that number.
    pub(in crate::page) fn note_asked(&self, id: u32) {
        self.asked.update_value(|asked| {
            asked.insert(id, self.selected.get_untracked());
        });
    }

    /// The worker says that it has loaded this.
    pub(in crate::page) fn take_loaded(&self, report: ModelReport) {
        let selected = self.asked.with_value(|asked| asked.get(&report.asked).cloned()).unwrap_or_default();
        self.loaded.set(Some((selected, report)));
    }

    /// SHA-256 of the chosen model's files, once it is on the device.
    pub(in crate::page) fn loaded_sha256(&self) -> Option<String> {
        self.loaded.with(|loaded| loaded.as_ref().map(|(_, report)| report.sha256.clone())).filter(|_| self.is_ready())
    }

    /// Whether this site carries a catalogued model.
    pub(in crate::page) fn is_carried(&self, entry: &CatalogueEntry) -> bool {
        match &entry.origin {
            Origin::BuiltIn { .. } => true,
            Origin::Fetched { file, .. } => self.carried.with(|carried| carried.iter().any(|name| name == file.name)),
        }
    }

    /// Whether a catalogued model can be had without fetching more than the site itself.
    pub(in crate::page) fn is_here(&self, entry: &CatalogueEntry) -> bool {
        entry.is_built_in() || self.kept_as(entry).is_some()
    }

    /// What a catalogued model is kept as in this browser, under whatever name it was fetched: its content tells.
    fn kept_as(&self, entry: &CatalogueEntry) -> Option<String> {
        self.kept.with(|kept| kept.models.iter().find(|model| is_kept_as(entry, model)).map(|model| model.id.clone()))
    }

    /// The catalogue's entry of the chosen model, if it is one of these.
    pub(in crate::page) fn entry(&self) -> Option<&'static CatalogueEntry> {
        self.selected.with(|selected| match selected {
            Selected::Catalogue(name) => weights::catalogue::find(name),
            _ => None,
        })
    }

    /// Whether the chosen model comes with the page.
    pub(in crate::page) fn is_built_in(&self) -> bool {
        self.entry().is_some_and(CatalogueEntry::is_built_in)
    }

    /// Whether the chosen model sees pictures, where that is known.
    pub(in crate::page) fn sees_pictures(&self) -> Option<bool> {
        let loaded = || self.loaded.with(|loaded| loaded.as_ref().map(|(_, report)| report.sees_pictures));
        if self.is_ready() { loaded() } else { self.entry().map(|entry| entry.sees) }
    }

    /// The licence of the chosen model, where it is loaded and its files name it.
    pub(in crate::page) fn licence(&self) -> Option<String> {
        let is_ready = self.is_ready();
        self.loaded.with(|loaded| loaded.as_ref().filter(|_| is_ready).and_then(|(_, report)| report.licence.clone()))
    }

    /// What a person calls the chosen model.
    pub(in crate::page) fn title(&self) -> String {
        match self.entry() {
            Some(entry) => entry.title.to_owned(),
            None => self.facts.with(|facts| facts.as_ref().map_or_else(|| "This model".to_owned(), |facts| facts.name.clone())),
        }
    }

    /// Where the chosen model is; `base` is the page's own address. `None` where nothing is chosen.
    pub(in crate::page) fn from(&self, base: &str) -> Option<ModelFrom> {
        match self.selected.get_untracked() {
            Selected::Nothing => None,
            Selected::Catalogue(name) => {
                let entry = weights::catalogue::find(&name)?;
                match &entry.origin {
                    Origin::BuiltIn { files } => Some(ModelFrom::SiteFolder {
                        name: entry.name.to_owned(),
                        url: format!("{base}models/{}/", entry.name),
                        files: files.iter().map(site_file).collect(),
                    }),
                    Origin::Fetched { file, .. } if untrack(|| self.is_carried(entry)) => Some(ModelFrom::Site {
                        url: format!("{base}models/{}", file.name),
                        len_bytes: Some(file.len_bytes),
                        sha256: Some(file.sha256.to_owned()),
                    }),
                    Origin::Fetched { sources, .. } => match untrack(|| self.kept_as(entry)) {
                        Some(id) => Some(ModelFrom::Kept { id }),
                        None => hub_name(sources).map(|repository| ModelFrom::Hub { repository }),
                    },
                }
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
            download_bytes: if entry.is_built_in() { 0 } else { entry.len_bytes() },
            file_bytes: entry.len_bytes(),
            memory_bytes: (entry.memory_bytes > 0).then_some(entry.memory_bytes),
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

/// Whether a model of the store is that of the catalogue.
fn is_kept_as(entry: &CatalogueEntry, model: &KeptModel) -> bool {
    model.sha256.is_some() && model.sha256 == Some(entry.sha256())
}

/// Whether a model of the store stands in the catalogue, and so in the list of models already.
pub(in crate::page) fn is_catalogued(model: &KeptModel) -> bool {
    CATALOGUE.iter().any(|entry| is_kept_as(entry, model))
}

fn site_file(file: &CatalogueFile) -> SiteFile {
    SiteFile { name: file.name.to_owned(), len_bytes: file.len_bytes, sha256: file.sha256.to_owned() }
}

/// What the hub calls a catalogued file.
fn hub_name(sources: &[Source]) -> Option<String> {
    sources.iter().find_map(|source| match source {
        Source::HuggingFace { repository, revision, path } => Some(format!("{repository}@{revision}:{path}")),
        Source::PythonPackage { .. } => None,
    })
}
