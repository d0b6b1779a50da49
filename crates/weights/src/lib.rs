//! Model files: GGUF and safetensors, tokenizers and chat templates, read from any source of bytes.
//!
//! A model file is untrusted input: any byte sequence gives a model or a clear error.

pub mod catalogue;
