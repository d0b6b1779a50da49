//! An opened model: its configuration, tokenizer and chat template in memory, its tensors to be streamed.

use crate::chat::ChatTemplate;
use crate::files::Weights;
use crate::processor;
use crate::safetensors::Index;
use crate::source::{ByteSource, read_exact};
use crate::tokenizer::{HfTokenizerFiles, Tokenizer};
use crate::{FileNotice, ModelFiles, TensorInfo, UnreadTensor, WeightsError, gguf, safetensors};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use tensor::Format;

/// The most bytes of a tensor that are in memory at a time, unless one multiple of rows takes more.
pub const PIECE_BYTES: u64 = 16 << 20;

/// `config.json` describes a model in a few kilobytes.
const CONFIG_LIMIT_BYTES: u64 = 1 << 20;
/// An index has a line a tensor.
const INDEX_LIMIT_BYTES: u64 = 16 << 20;

/// What the files say about the model.
#[derive(Clone, Debug)]
pub enum Config {
    /// `config.json`.
    HuggingFace(serde_json::Value),
    /// The metadata of a GGUF file, without the tokenizer's merges, scores and types.
    Gguf(gguf::Metadata),
}

/// What is done with a piece of a tensor: the number of its first row, and the stored bytes of its rows.
pub type VisitRows<'a, E> = dyn FnMut(usize, &[u8]) -> Result<(), E> + 'a;

/// An opened model.
pub struct Checkpoint {
    config: Config,
    tokenizer: Result<Tokenizer, NoTokenizer>,
    chat_template: Option<ChatTemplate>,
    image_processor: Option<serde_json::Value>,
    files: Vec<Box<dyn ByteSource>>,
    tensors: Vec<TensorInfo>,
    by_name: HashMap<String, usize>,
    /// Tensors that are not read, by name.
    others: BTreeMap<String, UnreadTensor>,
    /// Files of weights beside the model's own.
    other_files: Vec<String>,
    notices: Vec<FileNotice>,
}

/// Why there is no tokenizer, kept until somebody asks for it.
struct NoTokenizer {
    found: String,
    expected: &'static str,
}

impl Checkpoint {
    /// Opens a model: reads configuration, tokenizer, chat template and the headers of the weight files; no tensor yet.
    ///
    /// # Errors
    /// Whatever is wrong with the files: see [`WeightsError`]. That there is no tokenizer is told by [`Checkpoint::tokenizer`].
    pub async fn open(mut files: ModelFiles) -> Result<Checkpoint, WeightsError> {
        let weights = files.weights()?;
        let missing =
            |file: &str, needed_by: &str| WeightsError::MissingFile { file: file.to_owned(), needed_by: needed_by.to_owned() };
        let mut checkpoint = match weights {
            Weights::Gguf(name) => {
                let source = files.take(&name).ok_or_else(|| missing(&name, "the model"))?;
                Checkpoint::open_gguf(source).await?
            }
            Weights::One(name) => {
                let source = files.take(&name).ok_or_else(|| missing(&name, "the model"))?;
                Checkpoint::open_safetensors(&mut files, vec![source], None).await?
            }
            Weights::Indexed(name) => {
                let (index_name, json) =
                    files.read(&name, INDEX_LIMIT_BYTES).await?.ok_or_else(|| missing(&name, "the model"))?;
                let index = Index::parse(&index_name, &json)?;
                let take = |file: &str| files.take(file).ok_or_else(|| missing(file, &index_name));
                let sources = index.files().into_iter().map(take).collect::<Result<_, _>>()?;
                Checkpoint::open_safetensors(&mut files, sources, Some((index, index_name))).await?
            }
        };
        checkpoint.other_files = files.other_weights();
        Ok(checkpoint)
    }

    async fn open_gguf(source: Box<dyn ByteSource>) -> Result<Checkpoint, WeightsError> {
        let gguf::Header { mut metadata, tensors, others } = gguf::read(source.as_ref()).await?;
        let parts = metadata.unsigned("split.count")?.unwrap_or(1);
        if parts > 1 {
            return Err(metadata.wrong("split.count", format!("one of {parts} parts"), "a file that holds the whole model"));
        }
        let tokenizer = match Tokenizer::from_gguf(&metadata)? {
            Some(tokenizer) => Ok(tokenizer),
            None => Err(NoTokenizer { found: "no tokenizer.ggml.model".to_owned(), expected: "one in the metadata" }),
        };
        let chat_template = match (metadata.text("tokenizer.chat_template")?, &tokenizer) {
            (Some(template), Ok(tokenizer)) => {
                Some(ChatTemplate::new(metadata.file(), template, tokenizer.special_tokens().clone()))
            }
            _ => None,
        };
        // The tokens stay: their number is the vocabulary's size where no key says it.
        for list in ["scores", "token_type", "merges"] {
            metadata.remove(&format!("tokenizer.ggml.{list}"));
        }
        let mut checkpoint = Checkpoint::empty(Config::Gguf(metadata), tokenizer, chat_template);
        checkpoint.add_file(source, tensors, others)?;
        Ok(checkpoint)
    }

    async fn open_safetensors(
        files: &mut ModelFiles,
        sources: Vec<Box<dyn ByteSource>>,
        index: Option<(Index, String)>,
    ) -> Result<Checkpoint, WeightsError> {
        let Some((name, json)) = files.read("config.json", CONFIG_LIMIT_BYTES).await? else {
            let names: Vec<&str> = sources.iter().map(|source| source.name()).collect();
            let needed_by = format!("the model in {}", names.join(", "));
            return Err(WeightsError::MissingFile { file: "config.json".to_owned(), needed_by });
        };
        let config = serde_json::from_slice(&json).map_err(|source| WeightsError::Json { file: name, source })?;

        let tokenizer_files = HfTokenizerFiles::read(files).await?;
        let image_processor = processor::read(files).await?;
        let chat_template = tokenizer_files.chat_template(image_processor.is_some());
        let tokenizer = match tokenizer_files.tokenizer(&config)? {
            Some(tokenizer) => Ok(tokenizer),
            None => Err(NoTokenizer { found: "no tokenizer.json".to_owned(), expected: "tokenizer.json beside the weights" }),
        };
        let mut checkpoint = Checkpoint::empty(Config::HuggingFace(config), tokenizer, chat_template);
        checkpoint.image_processor = image_processor;
        for source in sources {
            let header = safetensors::read(source.as_ref()).await?;
            checkpoint.add_file(source, header.tensors, header.others)?;
        }
        if let Some((index, name)) = index {
            checkpoint.check_index(&index, &name)?;
        }
        Ok(checkpoint)
    }

    fn empty(config: Config, tokenizer: Result<Tokenizer, NoTokenizer>, chat_template: Option<ChatTemplate>) -> Checkpoint {
        let mut notices = tokenizer.as_ref().map_or_else(|_| Vec::new(), |tokenizer| tokenizer.notices().to_vec());
        if let Some((file, reason)) = chat_template.as_ref().and_then(|template| Some((template.file(), template.refused()?))) {
            notices.push(FileNotice::TemplateRefused { file: file.to_owned(), reason: reason.to_owned() });
        }
        Checkpoint {
            config,
            tokenizer,
            chat_template,
            image_processor: None,
            files: Vec::new(),
            tensors: Vec::new(),
            by_name: HashMap::new(),
            others: BTreeMap::new(),
            other_files: Vec::new(),
            notices,
        }
    }

    fn add_file(
        &mut self,
        source: Box<dyn ByteSource>,
        tensors: Vec<TensorInfo>,
        others: Vec<UnreadTensor>,
    ) -> Result<(), WeightsError> {
        let file = self.files.len();
        for info in tensors {
            if let Some(first) = self.tensor(&info.name) {
                let first_file = self.file_name(first).to_owned();
                return Err(WeightsError::DuplicateTensor { file: source.name().to_owned(), tensor: info.name, first_file });
            }
            self.by_name.insert(info.name.clone(), self.tensors.len());
            self.tensors.push(TensorInfo { file, ..info });
        }
        self.others.extend(others.into_iter().map(|other| (other.name.clone(), UnreadTensor { file, ..other })));
        self.files.push(source);
        Ok(())
    }

    /// Every tensor of the index must be in the file that the index names.
    fn check_index(&self, index: &Index, index_name: &str) -> Result<(), WeightsError> {
        let files = index.files();
        for (tensor, file) in &index.file_of {
            let expected = files.iter().position(|name| name == file);
            let found = self.tensor(tensor).map(|info| info.file).or_else(|| self.others.get(tensor).map(|other| other.file));
            if found.is_none() || found != expected {
                return Err(WeightsError::Value {
                    file: index_name.to_owned(),
                    key: format!("weight_map: {tensor}"),
                    found: file.clone(),
                    expected: match found.and_then(|i| files.get(i)) {
                        Some(other) => format!("{other}, which has it"),
                        None => "a file that has it".to_owned(),
                    },
                });
            }
        }
        Ok(())
    }

    /// What the files say about the model.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Name of the first weight file, for messages.
    pub fn name(&self) -> &str {
        self.files.first().map_or("", |file| file.name())
    }

    /// Bytes of all weight files.
    pub fn len_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.len_bytes()).sum()
    }

    /// The tokenizer.
    ///
    /// # Errors
    /// When the files have none.
    pub fn tokenizer(&self) -> Result<&Tokenizer, WeightsError> {
        self.tokenizer.as_ref().map_err(|why| WeightsError::NoTokenizer {
            file: self.name().to_owned(),
            found: why.found.clone(),
            expected: why.expected,
        })
    }

    /// What was met in the files that is no error, and what is made of it.
    pub fn notices(&self) -> &[FileNotice] {
        &self.notices
    }

    /// How a conversation becomes a prompt, if the files say it. One that cannot be used says so when it is to render, and
    /// by [`ChatTemplate::refused`].
    pub fn chat_template(&self) -> Option<&ChatTemplate> {
        self.chat_template.as_ref()
    }

    /// How the model's images are prepared, if the files say it: what `processor_config.json` has for it, or the
    /// object of `preprocessor_config.json`.
    pub fn image_processor(&self) -> Option<&serde_json::Value> {
        self.image_processor.as_ref()
    }

    /// The tensor of that name.
    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        self.by_name.get(name).and_then(|&i| self.tensors.get(i))
    }

    /// Whether there is a tensor of that name, readable or not.
    pub fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name) || self.others.contains_key(name)
    }

    /// The tensor of that name, which the model cannot do without.
    ///
    /// # Errors
    /// When it is not there, or stored in a type that is not read.
    pub fn require(&self, name: &str) -> Result<&TensorInfo, WeightsError> {
        if let Some(info) = self.tensor(name) {
            return Ok(info);
        }
        if let Some(other) = self.others.get(name) {
            let file = self.files.get(other.file).map_or("", |file| file.name()).to_owned();
            let found = format!("{:?}", other.shape);
            return Err(if other.is_empty() {
                let expected = "at least one element in every dimension".to_owned();
                WeightsError::Shape { file, tensor: name.to_owned(), found, expected }
            } else {
                let expected = match &self.config {
                    Config::HuggingFace(_) => "F32, F16, BF16".to_owned(),
                    Config::Gguf(_) => Format::ALL.map(Format::name).join(", "),
                };
                WeightsError::UnknownType { file, tensor: name.to_owned(), found: other.stored_as.clone(), expected }
            });
        }
        let ending = name.rsplit_once('.').map_or(name, |(_, ending)| ending);
        let similar =
            self.tensors.iter().find(|info| info.name.ends_with(ending)).map(|info| format!(", among them {}", info.name));
        Err(WeightsError::MissingTensor {
            file: self.name().to_owned(),
            tensor: name.to_owned(),
            count: self.tensors.len(),
            similar: similar.unwrap_or_default(),
        })
    }

    /// All tensors, in the order of the files.
    pub fn tensors(&self) -> impl Iterator<Item = &TensorInfo> {
        self.tensors.iter()
    }

    /// The tensors whose values are not read, by name.
    pub fn unread_tensors(&self) -> impl Iterator<Item = &UnreadTensor> {
        self.others.values()
    }

    /// Files of weights that lie beside the model's own and are no part of it, such as an adapter's.
    pub fn other_files(&self) -> &[String] {
        &self.other_files
    }

    /// Name of the file that a tensor is in.
    pub fn file_name(&self, info: &TensorInfo) -> &str {
        self.files.get(info.file).map_or("", |file| file.name())
    }

    /// Streams a tensor's stored bytes: `visit` gets the number of the first row of each piece and the bytes of its rows.
    ///
    /// A piece has a whole multiple of `rows_multiple` rows (the last one the rest) and at most [`PIECE_BYTES`], or one
    /// multiple if that takes more. One buffer serves all pieces.
    ///
    /// # Errors
    /// When reading fails, or what `visit` returns.
    pub async fn stream_rows<E: From<WeightsError>>(
        &self,
        info: &TensorInfo,
        rows_multiple: usize,
        visit: &mut VisitRows<'_, E>,
    ) -> Result<(), E> {
        self.stream_row_range(info, 0..info.rows(), rows_multiple, visit).await
    }

    /// [`Checkpoint::stream_rows`] of some of a tensor's rows; `visit` gets their numbers from the first of them on. Rows that there
    /// are not are left out.
    ///
    /// # Errors
    /// As there.
    pub async fn stream_row_range<E: From<WeightsError>>(
        &self,
        info: &TensorInfo,
        range: Range<usize>,
        rows_multiple: usize,
        visit: &mut VisitRows<'_, E>,
    ) -> Result<(), E> {
        let wrong = || WeightsError::MissingTensor {
            file: self.name().to_owned(),
            tensor: info.name.clone(),
            count: self.tensors.len(),
            similar: String::new(),
        };
        let file = self.files.get(info.file).ok_or_else(wrong)?;
        let first = range.start.min(info.rows());
        let rows = range.end.min(info.rows()).saturating_sub(first);
        let row_bytes = info.format.bytes_of(info.row_len()).filter(|bytes| *bytes > 0).ok_or_else(wrong)?;
        let multiple = rows_multiple.max(1);
        let most_rows = usize::try_from(PIECE_BYTES).unwrap_or(usize::MAX) / row_bytes;
        let piece_rows = (most_rows / multiple).max(1).saturating_mul(multiple).min(rows);
        let mut piece = vec![0; piece_rows.saturating_mul(row_bytes)];
        let mut row = 0;
        while row < rows {
            let count = piece_rows.min(rows - row);
            let bytes = piece.get_mut(..count.saturating_mul(row_bytes)).ok_or_else(wrong)?;
            read_exact(file.as_ref(), info.offset.saturating_add(((first + row) as u64).saturating_mul(row_bytes as u64)), bytes)
                .await?;
            visit(row, bytes)?;
            row = row.saturating_add(count);
        }
        Ok(())
    }

    /// A whole tensor's stored bytes, for small ones such as norms.
    ///
    /// # Errors
    /// When reading fails, or when it takes more than [`PIECE_BYTES`].
    pub async fn read(&self, info: &TensorInfo) -> Result<Vec<u8>, WeightsError> {
        if info.len_bytes > PIECE_BYTES {
            return Err(WeightsError::TooLarge {
                file: self.file_name(info).to_owned(),
                what: "a tensor read as a whole",
                found: info.len_bytes,
                limit_bytes: PIECE_BYTES,
            });
        }
        let mut all = Vec::new();
        self.stream_rows::<WeightsError>(info, 1, &mut |_, bytes| {
            all.extend_from_slice(bytes);
            Ok(())
        })
        .await?;
        Ok(all)
    }
}
