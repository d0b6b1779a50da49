//! `atman models`: what has a name, and what is here.

use crate::args::ModelsArguments;
use crate::store::{Store, Stored};
use crate::text;
use anyhow::Result;
use serde::Serialize;
use std::io::Write;
use std::path::Path;
use weights::catalogue::{CATALOGUE, CatalogueEntry, DEFAULT, Origin};

/// All of it, as `--json` gives it.
#[derive(Serialize)]
struct Models<'a> {
    catalogue: Vec<Named>,
    /// The folder of fetched models.
    folder: &'a Path,
    /// What is in it.
    here: &'a [Stored],
}

/// A model of the catalogue.
#[derive(Serialize)]
struct Named {
    name: &'static str,
    title: &'static str,
    licence: &'static str,
    len_bytes: u64,
    sha256: String,
    state: State,
    is_default: bool,
}

/// Where a model of the catalogue is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    BuiltIn,
    Here,
    NotFetched,
}

impl Named {
    fn new(entry: &'static CatalogueEntry, here: &[Stored]) -> Self {
        let state = match &entry.origin {
            Origin::BuiltIn { .. } => State::BuiltIn,
            Origin::Fetched { .. } if here.iter().any(|model| model.name == entry.name) => State::Here,
            Origin::Fetched { .. } => State::NotFetched,
        };
        Self {
            name: entry.name,
            title: entry.title,
            licence: entry.licence,
            len_bytes: entry.len_bytes(),
            sha256: entry.sha256(),
            state,
            is_default: entry.name == DEFAULT.name,
        }
    }
}

/// Prints the catalogue and the models folder.
pub(crate) fn run(arguments: &ModelsArguments) -> Result<()> {
    let store = Store::from_environment()?;
    let here = store.list()?;
    let catalogue = CATALOGUE.iter().map(|entry| Named::new(entry, &here)).collect();
    let models = Models { catalogue, folder: store.folder(), here: &here };
    let mut out = std::io::stdout().lock();
    if arguments.json {
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&models)?)?);
    }
    writeln!(out, "Catalogue (--model NAME; `atman fetch NAME` brings those that are not here)")?;
    for entry in &models.catalogue {
        let state = match entry.state {
            State::BuiltIn if entry.is_default => "built in, the default",
            State::BuiltIn => "built in",
            State::Here => "here",
            State::NotFetched => "not fetched",
        };
        let size = text::bytes(entry.len_bytes);
        writeln!(out, "  {}  {size}, {}, {state}\n    {}", entry.name, entry.licence, entry.title)?;
    }
    writeln!(out, "\nOn this machine, in {}", models.folder.display())?;
    for model in models.here {
        writeln!(out, "  {}  {}\n    {}", model.name, text::bytes(model.len_bytes), model.path.display())?;
    }
    if models.here.is_empty() {
        writeln!(out, "  nothing yet")?;
    }
    Ok(())
}
