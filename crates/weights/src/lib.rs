//! Model files: GGUF and safetensors, tokenizers and chat templates, read from any source of bytes.
//!
//! A model file is untrusted input: any byte sequence gives a model or a [clear error](WeightsError), never a panic, a hang
//! or a huge allocation. Headers are read up to a stated limit; tensors are streamed in pieces and never held whole.

pub mod catalogue;
mod chat;
mod checkpoint;
mod error;
mod file_notice;
mod files;
mod fingerprint;
pub mod gguf;
pub mod hub;
mod processor;
pub mod safetensors;
mod source;
mod tensor_info;
pub mod text;
pub mod tokenizer;

pub use chat::{ChatTemplate, Message, Part, Place, PlacedText, Rendered, SpecialTokens};
pub use checkpoint::{Checkpoint, Config, PIECE_BYTES, VisitRows};
pub use error::WeightsError;
pub use file_notice::FileNotice;
pub use files::{ModelFiles, is_system_file};
pub use fingerprint::{Mismatch, compare, model_sha256};
#[cfg(not(target_arch = "wasm32"))]
pub use source::FileSource;
pub use source::{ByteSource, MemorySource, Reading};
pub use tensor_info::{TensorInfo, UnreadTensor};
pub use tokenizer::Tokenizer;
