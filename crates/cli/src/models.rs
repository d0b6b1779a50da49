//! `atman models`: what has a name, and what is here.

use crate::store::Store;
use crate::text;
use anyhow::Result;
use std::io::Write;
use weights::catalogue::{CATALOGUE, DEFAULT, Origin};

/// Prints the catalogue and the models folder.
pub(crate) fn run() -> Result<()> {
    let store = Store::from_environment()?;
    let stored = store.list()?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "Catalogue (--model NAME; `atman fetch NAME` brings those that are not here)")?;
    for entry in CATALOGUE {
        let here = match &entry.origin {
            Origin::BuiltIn { .. } if entry.name == DEFAULT.name => "built in, the default",
            Origin::BuiltIn { .. } => "built in",
            Origin::Fetched { .. } if stored.iter().any(|model| model.name == entry.name) => "here",
            Origin::Fetched { .. } => "not fetched",
        };
        let size = text::bytes(entry.len_bytes());
        writeln!(out, "  {}  {size}, {}, {here}\n    {}", entry.name, entry.licence, entry.title)?;
    }
    writeln!(out, "\nOn this machine, in {}", store.folder().display())?;
    for model in &stored {
        writeln!(out, "  {}  {}\n    {}", model.name, text::bytes(model.len_bytes), model.path.display())?;
    }
    if stored.is_empty() {
        writeln!(out, "  nothing yet")?;
    }
    Ok(())
}
