//! What a model is and takes, from the headers of its files.

use super::beginning::Beginning;
use super::blob::BlobSource;
use super::record::Record;
use super::shelf::Shelf;
use super::wanted::{Plan, PlannedFile, Wanted};
use crate::messages::ModelFacts;
use anyhow::Result;
use model::Inventory;
use weights::text::one_line;
use weights::{ByteSource, Checkpoint, Config, ModelFiles};

/// Facts of files that are here.
pub(super) async fn of_sources(name: String, licence: Option<String>, sources: Vec<BlobSource>) -> Result<ModelFacts> {
    let file_bytes = sources.iter().map(ByteSource::len_bytes).sum();
    let files = sources.into_iter().map(|source| (source.name().to_owned(), Box::new(source) as Box<dyn ByteSource>)).collect();
    let header = Header::read(files).await?;
    let licence = licence.or(header.licence);
    Ok(ModelFacts { name, file_bytes, memory_bytes: Some(header.memory_bytes), licence, ..ModelFacts::default() })
}

/// Facts of files on a server, of which some may be here in part.
pub(super) async fn of_plan(wanted: &Wanted, plan: &Plan, here: Option<(Shelf, Record)>) -> Result<ModelFacts> {
    let mut file_bytes = 0_u64;
    let mut here_bytes = 0_u64;
    let mut files: Vec<(String, Box<dyn ByteSource>)> = Vec::new();
    for file in &plan.files {
        let mut len_bytes = file.expected.len_bytes;
        // Tokenizers are large and say nothing of memory.
        if is_header(&file.name) {
            let beginning = Beginning::open(&file.name, &file.url, len_bytes).await?;
            len_bytes = len_bytes.or(Some(beginning.len_bytes()));
            files.push((file.name.clone(), Box::new(beginning)));
        }
        let len_bytes = len_bytes.unwrap_or_default();
        file_bytes = file_bytes.saturating_add(len_bytes);
        if let Some((shelf, record)) = &here {
            here_bytes = here_bytes.saturating_add(kept_part(shelf, record, file).await.min(len_bytes));
        }
    }
    let header = Header::read(files).await?;
    Ok(ModelFacts {
        name: wanted.name.clone(),
        download_bytes: file_bytes.saturating_sub(here_bytes),
        file_bytes,
        memory_bytes: Some(header.memory_bytes),
        licence: plan.licence.clone().or(header.licence),
        choices: Vec::new(),
    })
}

fn is_header(name: &str) -> bool {
    !name.ends_with(".jinja") && (!name.ends_with(".json") || name == "config.json" || name.ends_with(".index.json"))
}

/// Bytes of a file that need not be fetched again.
async fn kept_part(shelf: &Shelf, record: &Record, file: &PlannedFile) -> u64 {
    match record.file(&file.name).filter(|before| file.continues(before)) {
        Some(_) => shelf.file(&file.name).await.map_or(0, |file| file.size() as u64),
        None => 0,
    }
}

struct Header {
    memory_bytes: u64,
    licence: Option<String>,
}

impl Header {
    async fn read(files: Vec<(String, Box<dyn ByteSource>)>) -> Result<Header> {
        let checkpoint = Checkpoint::open(ModelFiles::new(files)).await?;
        // What would be refused after it has been fetched is refused before.
        let config = Inventory::of(&checkpoint)?.config;
        Ok(Header { memory_bytes: config.memory_bytes(&checkpoint), licence: licence(&checkpoint) })
    }
}

/// The licence that a file itself names.
pub(super) fn licence(checkpoint: &Checkpoint) -> Option<String> {
    match checkpoint.config() {
        Config::Gguf(metadata) => metadata.text("general.license").ok().flatten().map(|text| one_line(text, 80)),
        Config::HuggingFace(_) => None,
    }
}
