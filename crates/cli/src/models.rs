//! `atman models`: what can be fetched by name, and what is here.

use crate::store::Store;
use crate::text;
use anyhow::Result;
use std::io::Write;
use weights::catalogue::CATALOGUE;

/// Prints the catalogue and the models folder.
pub(crate) fn run() -> Result<()> {
    let store = Store::from_environment()?;
    let stored = store.list()?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "Catalogue (`atman fetch NAME`)")?;
    for entry in CATALOGUE {
        let here = if stored.iter().any(|model| model.name == entry.name) { "here" } else { "not fetched" };
        let size = text::bytes(entry.len_bytes);
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
