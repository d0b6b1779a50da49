//! The real SmolLM2-135M-Instruct: tokenizer, chat template and tensors of `SmolLM2-135M-Instruct.Q4_1.gguf`.
//!
//! The file is looked for in `ATMAN_MODELS`, else in `~/.cache/atman/models`. Without it these tests say so and pass, unless
//! `ATMAN_REQUIRE_MODELS` is set.
#![expect(clippy::unwrap_used, reason = "a test states what it expects by unwrapping it")]

use std::path::PathBuf;
use weights::{Checkpoint, Message, ModelFiles, WeightsError};

fn open() -> Option<Checkpoint> {
    let folder = std::env::var_os("ATMAN_MODELS").map(PathBuf::from);
    let folder = folder.or_else(|| Some(std::env::home_dir()?.join(".cache/atman/models")));
    let path = folder.unwrap_or_default().join(weights::catalogue::find("smollm2-135m-instruct").unwrap().files()[0].name);
    if !path.is_file() {
        assert!(std::env::var_os("ATMAN_REQUIRE_MODELS").is_none(), "{} is missing", path.display());
        eprintln!("skipped: {} is missing", path.display());
        return None;
    }
    Some(pollster::block_on(Checkpoint::open(ModelFiles::from_path(&path).unwrap())).unwrap())
}

const CAPITALS: &str = "The capital of France is Paris. The capital of Italy is";
const CAPITALS_IDS: [u32; 12] = [504, 3575, 282, 4649, 314, 7042, 30, 378, 3575, 282, 7158, 314];
const SOFA_QUESTION: &str =
    "Context: The cat sleeps on the red sofa. The dog sleeps in the garden.\nQuestion: Where does the dog sleep?";
const SOFA: &str = "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n\
                    <|im_start|>user\nContext: The cat sleeps on the red sofa. The dog sleeps in the garden.\n\
                    Question: Where does the dog sleep?<|im_end|>\n<|im_start|>assistant\n";
const SOFA_IDS: [u32; 59] = [
    1, 9690, 198, 2683, 359, 253, 5356, 5646, 11173, 3365, 3511, 308, 34519, 28, 7018, 411, 407, 19712, 8182, 2, 198, 1, 4093,
    198, 17548, 42, 378, 2644, 2801, 99, 335, 260, 2382, 588, 12155, 30, 378, 2767, 2801, 99, 281, 260, 4480, 30, 198, 17872, 42,
    7655, 1072, 260, 2767, 2801, 47, 2, 198, 1, 520, 9531, 198,
];

#[test]
fn texts_have_the_ids_that_the_reference_used() {
    let Some(checkpoint) = open() else { return };
    let tokenizer = checkpoint.tokenizer().unwrap();
    for (text, ids) in [
        (CAPITALS, CAPITALS_IDS.as_slice()),
        (" Rome.", &[7268, 30]),
        (SOFA, &SOFA_IDS),
        ("The dog sleeps in the garden.", &[504, 2767, 2801, 99, 281, 260, 4480, 30]),
    ] {
        // This model's texts begin with nothing special.
        assert_eq!(tokenizer.encode(text, true).unwrap(), ids, "{text}");
        assert_eq!(tokenizer.decode_with_special(ids), text);
    }
    assert_eq!(tokenizer.vocab_size(), 49_152);
    assert_eq!((tokenizer.bos_id(), tokenizer.eos_id()), (Some(1), Some(2)));
    assert_eq!(tokenizer.end_ids().iter().copied().collect::<Vec<_>>(), [0, 2]);
    assert_eq!(tokenizer.special_ids().collect::<Vec<_>>(), (0..17).collect::<Vec<_>>());
}

#[test]
fn a_conversation_is_rendered_as_the_reference_did() {
    let Some(checkpoint) = open() else { return };
    let template = checkpoint.chat_template().unwrap();
    // The system message is the template's own.
    assert_eq!(template.render(&[Message::new("user", SOFA_QUESTION)], true).unwrap(), SOFA);
}

#[test]
fn tensors_stream_in_whole_multiples_of_rows_and_cover_the_file() {
    let Some(checkpoint) = open() else { return };
    assert_eq!(checkpoint.tensors().count(), 272);
    let embedding = checkpoint.require("token_embd.weight").unwrap();
    assert_eq!((embedding.shape.as_slice(), embedding.format), (&[49_152, 576][..], tensor::Format::Q8_0));
    let row_bytes = 576 / 32 * 34;
    let mut next = 0;
    let mut visit = |first, bytes: &[u8]| {
        assert_eq!(first, next);
        assert!(bytes.len() as u64 <= weights::PIECE_BYTES && bytes.len().is_multiple_of(row_bytes));
        next += bytes.len() / row_bytes;
        assert!(next.is_multiple_of(1000) || next == 49_152);
        Ok(())
    };
    pollster::block_on(checkpoint.stream_rows::<WeightsError>(embedding, 1000, &mut visit)).unwrap();
    assert_eq!(next, 49_152);
    let end = checkpoint.tensors().map(weights::TensorInfo::end).max();
    assert_eq!(end, Some(checkpoint.len_bytes()));
}
