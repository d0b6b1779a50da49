//! The files that make up a model.

use crate::WeightsError;
use crate::source::{ByteSource, read_whole};

const WHAT_A_MODEL_IS: &str = "one .gguf file, or config.json with .safetensors files (and tokenizer.json)";

/// A model's files: one GGUF file, or `config.json`, `tokenizer.json` and one or more safetensors files with their index,
/// `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json`, `chat_template.jinja`, `chat_template.json`,
/// `generation_config.json`, `preprocessor_config.json` and `processor_config.json` where they exist.
pub struct ModelFiles {
    files: Vec<(String, Box<dyn ByteSource>)>,
}

impl ModelFiles {
    /// A model of files by name. Only the last part of a name counts, so that `folder/config.json` is `config.json`.
    pub fn new(files: Vec<(String, Box<dyn ByteSource>)>) -> ModelFiles {
        let base = |name: String| name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        ModelFiles { files: files.into_iter().map(|(name, source)| (base(name), source)).collect() }
    }

    /// A model on disk: a `.gguf` file, a folder, or a `.safetensors` file, which stands for its folder.
    ///
    /// # Errors
    /// When the path cannot be read.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn from_path(path: impl AsRef<std::path::Path>) -> Result<ModelFiles, WeightsError> {
        use crate::FileSource;
        let path = path.as_ref();
        let open = |path: &std::path::Path| -> Result<(String, Box<dyn ByteSource>), WeightsError> {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok((name, Box::new(FileSource::open(path)?)))
        };
        let is_safetensors = path.extension().is_some_and(|ext| ext == "safetensors");
        let folder = match path.parent() {
            Some(parent) if is_safetensors && path.is_file() => parent,
            _ if path.is_dir() => path,
            _ => return Ok(ModelFiles::new(vec![open(path)?])),
        };
        // `model.safetensors` names its folder as "".
        let folder = if folder.as_os_str().is_empty() { std::path::Path::new(".") } else { folder };
        let io = |source| WeightsError::Io { file: folder.display().to_string(), offset: 0, len_bytes: 0, source };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_file() && [".gguf", ".safetensors", ".json", ".jinja"].iter().any(|ext| name.ends_with(ext)) {
                files.push(open(&path)?);
            }
        }
        // The order of a folder is the file system's; messages and tensors should not depend on it.
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(ModelFiles::new(files))
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

    /// The content of the file of that name, if it is there, and the source's own name.
    pub(crate) async fn read(&mut self, name: &'static str, limit_bytes: u64) -> Result<Option<(String, Vec<u8>)>, WeightsError> {
        let Some(source) = self.take(name) else { return Ok(None) };
        let bytes = read_whole(source.as_ref(), name, limit_bytes).await?;
        Ok(Some((source.name().to_owned(), bytes)))
    }

    /// The one GGUF file, if the model is of that kind. Where there are safetensors files too, those are the model.
    pub(crate) fn take_gguf(&mut self) -> Result<Option<Box<dyn ByteSource>>, WeightsError> {
        if self.names().any(|name| name.ends_with(".safetensors")) {
            return Ok(None);
        }
        let ggufs = self.names().filter(|name| name.ends_with(".gguf")).count();
        // A single file is taken for GGUF whatever its name, so that a wrong one is told by its magic.
        let single = self.files.len() == 1 && !self.names().any(|name| name.ends_with(".json"));
        match ggufs {
            0 if !single => Ok(None),
            0 | 1 => {
                let name = self.names().find(|name| single || name.ends_with(".gguf")).map(str::to_owned);
                Ok(name.and_then(|name| self.take(&name)))
            }
            _ => Err(self.no_model(format!("{ggufs} .gguf files"))),
        }
    }

    /// The names of the safetensors files.
    pub(crate) fn safetensors(&self) -> Vec<String> {
        self.names().filter(|name| name.ends_with(".safetensors")).map(str::to_owned).collect()
    }

    /// An error about the whole.
    pub(crate) fn no_model(&self, found: String) -> WeightsError {
        let names: Vec<&str> = self.names().collect();
        let path = if names.is_empty() { "an empty list of files".to_owned() } else { names.join(", ") };
        WeightsError::NotAModel { path, found, expected: WHAT_A_MODEL_IS }
    }
}
