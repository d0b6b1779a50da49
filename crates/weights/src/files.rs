//! The files that make up a model, found among those of a folder.

use crate::WeightsError;
use crate::source::{ByteSource, read_whole};
use crate::text::without_mark;

const WHAT_A_MODEL_IS: &str = "one .gguf file, or config.json with .safetensors files (and tokenizer.json)";
/// What `transformers` writes, and looks for in this order.
const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// A model's files: one GGUF file, or `config.json`, `tokenizer.json` and one or more safetensors files with their index,
/// `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json`, `chat_template.jinja`, `chat_template.json`,
/// `generation_config.json`, `preprocessor_config.json` and `processor_config.json` where they exist.
pub struct ModelFiles {
    files: Vec<(String, Box<dyn ByteSource>)>,
    /// The file of weights, or the index of such, that was meant by its name.
    named: Option<String>,
    /// What they came from, for messages: a folder, or nothing.
    folder: Option<String>,
}

/// Which of the files hold the weights.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Weights {
    /// A GGUF file, which is all of the model.
    Gguf(String),
    /// One safetensors file.
    One(String),
    /// Those that this index names.
    Indexed(String),
}

/// Whether a file of that name, or within a folder of that name, is nothing but what operating systems leave beside people's
/// files.
pub fn is_system_file(path: &str) -> bool {
    let is_left = |part: &str| {
        part.starts_with("._")
            || ["__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"].iter().any(|name| part.eq_ignore_ascii_case(name))
    };
    path.split(['/', '\\']).any(is_left)
}

impl ModelFiles {
    /// A model of files by name. Of names with folders the last part counts: `folder/config.json` is `config.json`. Where
    /// files come from folders within folders, the model is in the outermost one with weights; files of operating systems
    /// are left out.
    pub fn new(files: Vec<(String, Box<dyn ByteSource>)>) -> ModelFiles {
        // A single file is meant, whatever its name.
        let is_single = files.len() == 1;
        let mut files: Vec<_> = files.into_iter().filter(|(name, _)| is_single || !is_system_file(name)).collect();
        let mut folders: Vec<&str> =
            files.iter().map(|(name, _)| name.as_str()).filter(|name| is_weights(name)).map(folder).collect();
        let depth = |folder: &str| folder.split(['/', '\\']).count() + usize::from(!folder.is_empty());
        let outermost = folders.iter().map(|folder| depth(folder)).min();
        folders.retain(|folder| Some(depth(folder)) == outermost);
        folders.sort_unstable();
        folders.dedup();
        match folders[..] {
            // Names that tell them apart.
            [_, _, ..] => {}
            [only] => {
                let only = only.to_owned();
                files.retain(|(name, _)| folder(name) == only);
                files.iter_mut().for_each(|(name, _)| *name = base(name).to_owned());
            }
            [] => files.iter_mut().for_each(|(name, _)| *name = base(name).to_owned()),
        }
        ModelFiles { files, named: None, folder: None }
    }

    /// A model on disk: a `.gguf` file; a folder; or a `.safetensors` file or an index of such, which are the weights that the
    /// rest of their folder describes. A part of a model in several stands for all of it.
    ///
    /// # Errors
    /// When the path cannot be read.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn from_path(path: impl AsRef<std::path::Path>) -> Result<ModelFiles, WeightsError> {
        use crate::FileSource;
        let path = path.as_ref();
        let name = |path: &std::path::Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let open = |path: &std::path::Path| -> Result<(String, Box<dyn ByteSource>), WeightsError> {
            Ok((name(path), Box::new(FileSource::open(path)?)))
        };
        let is_of_folder = has_ending(&name(path), ".safetensors") || is_index(&name(path));
        let (folder, named) = match path.parent() {
            Some(parent) if is_of_folder && path.is_file() => (parent, Some(name(path))),
            _ if path.is_dir() => (path, None),
            _ => return Ok(ModelFiles::new(vec![open(path)?])),
        };
        // `model.safetensors` names its folder as "".
        let folder = if folder.as_os_str().is_empty() { std::path::Path::new(".") } else { folder };
        let io = |source| WeightsError::Io { file: folder.display().to_string(), offset: 0, len_bytes: 0, source };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            let name = name(&path);
            let is_part = is_weights(&name) || [".json", ".jinja"].iter().any(|ending| name.ends_with(ending));
            let is_meant = named.as_ref() == Some(&name) || !is_system_file(&name);
            if is_part && is_meant && path.is_file() {
                files.push(open(&path)?);
            }
        }
        // The order of a folder is the file system's; messages and tensors should not depend on it.
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(ModelFiles { files, named, folder: Some(folder.display().to_string()) })
    }

    /// The names of the files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(name, _)| name.as_str())
    }

    /// Takes the file of that name out.
    pub(crate) fn take(&mut self, name: &str) -> Option<Box<dyn ByteSource>> {
        let at = self.files.iter().position(|(file, _)| file == name)?;
        Some(self.files.swap_remove(at).1)
    }

    /// The text of the file of that name without a byte order mark, if it is there, and the source's own name.
    pub(crate) async fn read(&mut self, name: &str, limit_bytes: u64) -> Result<Option<(String, Vec<u8>)>, WeightsError> {
        let Some(source) = self.take(name) else { return Ok(None) };
        let mut bytes = read_whole(source.as_ref(), "text", limit_bytes).await?;
        let file = source.name().to_owned();
        let text = without_mark(&bytes).map_err(|source| WeightsError::Text { file: file.clone(), source })?;
        let mark_bytes = bytes.len() - text.len();
        bytes.drain(..mark_bytes);
        Ok(Some((file, bytes)))
    }

    /// Which files hold the weights: the one that is named; else as `transformers` looks for them, `model.safetensors` before
    /// its index; else the only one there is.
    ///
    /// # Errors
    /// When there is none, or more than one that could be meant.
    pub(crate) fn weights(&self) -> Result<Weights, WeightsError> {
        let has = |name: &str| self.names().any(|file| file == name);
        if let Some(named) = &self.named {
            return self.weights_named(named);
        }
        let all = |ending: &str| -> Vec<&str> { self.names().filter(|name| has_ending(name, ending)).collect() };
        let (ggufs, safetensors) = (all(".gguf"), all(".safetensors"));
        // A single file is taken for GGUF whatever its name, so that a wrong one is told by its magic.
        if let [(name, _)] = &self.files[..]
            && !name.ends_with(".json")
            && safetensors.is_empty()
        {
            return Ok(Weights::Gguf(name.clone()));
        }
        if has(WEIGHTS) {
            return Ok(Weights::One(WEIGHTS.to_owned()));
        }
        if has(INDEX) {
            return Ok(Weights::Indexed(INDEX.to_owned()));
        }
        // Without its configuration a safetensors file beside a GGUF file is no model, and a tower alone is none either.
        let ggufs = unless_all(ggufs, |name| name.contains("mmproj"));
        if safetensors.is_empty() || !ggufs.is_empty() && !has("config.json") {
            return match ggufs[..] {
                [] => Err(self.no_model("no weights")),
                [only] => Ok(Weights::Gguf(only.to_owned())),
                // The parts of one model: its first says so.
                [first, ..] if ggufs.iter().all(|name| part_of(name).is_some() && part_of(name) == part_of(first)) => {
                    Ok(Weights::Gguf(first.to_owned()))
                }
                _ => Err(self.several(&ggufs)),
            };
        }
        if safetensors.iter().all(|name| is_adapter(name)) {
            return Err(self.no_model("no weights but those of an adapter"));
        }
        let safetensors = unless_all(safetensors, |name| is_adapter(name) || name.starts_with("consolidated"));
        match safetensors[..] {
            [only] => self.weights_named(only),
            [first, ..] if safetensors.iter().all(|name| part_of(name).is_some() && part_of(name) == part_of(first)) => {
                self.weights_named(first)
            }
            _ => Err(self.several(&safetensors)),
        }
    }

    /// The weights that a name stands for.
    fn weights_named(&self, name: &str) -> Result<Weights, WeightsError> {
        if is_index(name) {
            return Ok(Weights::Indexed(name.to_owned()));
        }
        let Some((stem, parts)) = part_of(name) else { return Ok(Weights::One(name.to_owned())) };
        // `model.fp16-00001-of-00002.safetensors` is in `model.safetensors.index.fp16.json`.
        let index = match stem.split_once('.') {
            None => format!("{stem}.safetensors.index.json"),
            Some((stem, variant)) => format!("{stem}.safetensors.index.{variant}.json"),
        };
        match self.names().find(|file| **file == index) {
            Some(index) => Ok(Weights::Indexed(index.to_owned())),
            None if parts == 1 => Ok(Weights::One(name.to_owned())),
            None => Err(WeightsError::MissingFile { file: index, needed_by: format!("{name}, one of {parts} parts,") }),
        }
    }

    /// The files of weights that are left: no part of the model.
    pub(crate) fn other_weights(&self) -> Vec<String> {
        self.names().filter(|name| is_weights(name)).map(str::to_owned).collect()
    }

    fn path(&self) -> String {
        let names: Vec<&str> = self.names().collect();
        match &self.folder {
            Some(folder) => folder.clone(),
            None if names.is_empty() => "an empty list of files".to_owned(),
            None => names.join(", "),
        }
    }

    fn several(&self, found: &[&str]) -> WeightsError {
        WeightsError::SeveralModels { path: self.path(), found: found.iter().map(|name| (*name).to_owned()).collect() }
    }

    /// An error about the whole.
    fn no_model(&self, found: &str) -> WeightsError {
        WeightsError::NotAModel { path: self.path(), found: found.to_owned(), expected: WHAT_A_MODEL_IS }
    }
}

/// The last part of a path.
fn base(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or_default()
}

/// What stands before it.
fn folder(path: &str) -> &str {
    path.strip_suffix(base(path)).unwrap_or_default()
}

/// Endings are as people's systems write them, `M.GGUF` among them.
fn has_ending(name: &str, ending: &str) -> bool {
    let at = name.len().wrapping_sub(ending.len());
    name.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(ending))
}

fn is_weights(name: &str) -> bool {
    has_ending(name, ".gguf") || has_ending(name, ".safetensors")
}

/// `model.safetensors.index.json`, or that of a variant.
fn is_index(name: &str) -> bool {
    name.contains(".safetensors.index.") && name.ends_with(".json")
}

/// What training adds to a model, in a file of its own.
fn is_adapter(name: &str) -> bool {
    name.starts_with("adapter_")
}

/// Without those that are only `beside` a model, if any others are there.
fn unless_all(names: Vec<&str>, beside: impl Fn(&str) -> bool) -> Vec<&str> {
    let others: Vec<&str> = names.iter().copied().filter(|name| !beside(name)).collect();
    if others.is_empty() { names } else { others }
}

/// The common part of the names of a model's parts, and how many these are: `model` and 4 of
/// `model-00001-of-00004.safetensors`.
fn part_of(name: &str) -> Option<(&str, usize)> {
    let (stem, count) = name.rsplit_once('.')?.0.rsplit_once("-of-")?;
    let (stem, number) = stem.rsplit_once('-')?;
    let is_number = |digits: &str| digits.len() >= 3 && digits.bytes().all(|digit| digit.is_ascii_digit());
    if is_number(number) && is_number(count) { Some((stem, count.parse().ok()?)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemorySource;

    fn files(names: &[&str]) -> ModelFiles {
        let source = |name: &&str| Box::new(MemorySource::new(*name, [])) as Box<dyn ByteSource>;
        ModelFiles::new(names.iter().map(|name| ((*name).to_owned(), source(name))).collect())
    }

    fn chosen(names: &[&str]) -> Result<Weights, String> {
        files(names).weights().map_err(|error| error.to_string())
    }

    fn one(name: &str) -> Result<Weights, String> {
        Ok(Weights::One(name.to_owned()))
    }

    fn indexed(name: &str) -> Result<Weights, String> {
        Ok(Weights::Indexed(name.to_owned()))
    }

    fn gguf(name: &str) -> Result<Weights, String> {
        Ok(Weights::Gguf(name.to_owned()))
    }

    const SHARDS: [&str; 2] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];

    /// The order of `_get_resolved_checkpoint_files` in transformers.
    #[test]
    fn model_safetensors_is_the_model_before_its_index_and_every_other_file() {
        for other in ["consolidated.safetensors", "adapter_model.safetensors", "model.fp16.safetensors", SHARDS[0], "m.gguf"] {
            assert_eq!(chosen(&["config.json", other, WEIGHTS]), one(WEIGHTS), "{other}");
            assert_eq!(chosen(&["config.json", other, WEIGHTS, INDEX]), one(WEIGHTS), "{other}");
            assert_eq!(chosen(&["config.json", other, INDEX, SHARDS[0], SHARDS[1]]), indexed(INDEX), "{other}");
        }
        assert_eq!(chosen(&["config.json", WEIGHTS, "consolidated.safetensors.index.json"]), one(WEIGHTS));
    }

    #[test]
    fn without_a_known_name_the_only_one_that_is_a_model_is_meant() {
        assert_eq!(chosen(&["config.json", "tiny.safetensors"]), one("tiny.safetensors"));
        assert_eq!(chosen(&["config.json", "tiny.safetensors", "adapter_model.safetensors"]), one("tiny.safetensors"));
        assert_eq!(chosen(&["config.json", "consolidated.safetensors"]), one("consolidated.safetensors"));
        assert_eq!(chosen(&["model.gguf", "mmproj-model.gguf"]), gguf("model.gguf"));
        assert_eq!(chosen(&["M.GGUF", "tokenizer.json"]), gguf("M.GGUF"));
        assert_eq!(chosen(&["m.gguf", "embedding.safetensors"]), gguf("m.gguf"));
        assert_eq!(chosen(&["config.json", "a-00001-of-00001.safetensors"]), one("a-00001-of-00001.safetensors"));
        let said = |names: &[&str]| chosen(names).unwrap_err();
        assert_eq!(
            said(&["config.json", "a.safetensors", "b.safetensors"]),
            "config.json, a.safetensors, b.safetensors holds several models, a.safetensors, b.safetensors: give the one that you mean"
        );
        assert!(said(&["a.gguf", "b.gguf"]).contains("several models, a.gguf, b.gguf: give the one"));
        assert!(said(&["adapter_config.json", "adapter_model.safetensors"]).contains("no weights but those of an adapter"));
        assert_eq!(
            said(&["config.json", SHARDS[0], SHARDS[1]]),
            format!("{INDEX} is missing; {}, one of 2 parts, needs it", SHARDS[0])
        );
        assert_eq!(chosen(&["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"]), gguf("m-00001-of-00002.gguf"));
    }

    #[test]
    fn a_file_that_is_named_is_the_one_that_is_meant() {
        let named = |name: &str, beside: &[&str]| {
            let files = ModelFiles { named: Some(name.to_owned()), ..files(&[&["config.json", name], beside].concat()) };
            files.weights().map_err(|error| error.to_string())
        };
        assert_eq!(named(WEIGHTS, &["consolidated.safetensors", INDEX]), one(WEIGHTS));
        assert_eq!(named("model.fp16.safetensors", &[WEIGHTS, INDEX]), one("model.fp16.safetensors"));
        assert_eq!(named(SHARDS[1], &[SHARDS[0], WEIGHTS, INDEX]), indexed(INDEX));
        assert_eq!(named(INDEX, &[SHARDS[0], SHARDS[1], WEIGHTS]), indexed(INDEX));
        let (shard, index) = ("model.fp16-00001-of-00002.safetensors", "model.safetensors.index.fp16.json");
        assert_eq!(named(shard, &[WEIGHTS, index]), indexed(index));
        assert!(named(shard, &[WEIGHTS, INDEX]).unwrap_err().starts_with(&format!("{index} is missing; {shard}")));
    }

    #[test]
    fn files_of_operating_systems_are_no_models() {
        for left in
            ["._model.safetensors", ".DS_Store", "Thumbs.db", "Desktop.ini", "__MACOSX/model.safetensors", "a/._config.json"]
        {
            assert!(is_system_file(left), "{left}");
        }
        for part in ["model.safetensors", "a/config.json", ".hidden.gguf", "_.json"] {
            assert!(!is_system_file(part), "{part}");
        }
        let some = files(&["._config.json", "._model.safetensors", "config.json", WEIGHTS, "__MACOSX/x.gguf", ".DS_Store"]);
        assert_eq!(some.names().collect::<Vec<_>>(), ["config.json", WEIGHTS]);
        assert_eq!(chosen(&["._m.gguf", "m.gguf"]), gguf("m.gguf"));
        // Somebody who names it means it, and is told what it is.
        assert_eq!(chosen(&["._m.gguf"]), gguf("._m.gguf"));
    }

    #[test]
    fn folders_within_the_folder_are_no_part_of_the_model() {
        let some = files(&["m/config.json", "m/model.safetensors", "m/onnx/config.json", "m/original/consolidated.safetensors"]);
        assert_eq!(some.names().collect::<Vec<_>>(), ["config.json", WEIGHTS]);
        let deep = files(&["a/README.json", "a/b/m.gguf"]);
        assert_eq!(deep.weights().unwrap(), Weights::Gguf("m.gguf".to_owned()));
        let error =
            chosen(&["x/a/config.json", "x/a/model.safetensors", "x/b/config.json", "x/b/model.safetensors"]).unwrap_err();
        assert!(error.contains("several models, x/a/model.safetensors, x/b/model.safetensors: give the one"), "{error}");
    }
}
