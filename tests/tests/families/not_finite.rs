//! Weights that make what is computed no number: the error names where it began.

use crate::fixture::{self, Engine};
use model::{Generation, Input, KvCache, ModelError, Sampling, Sequence, Wanted};
use weights::Checkpoint;

/// The checkpoint with some stored values of a tensor, in f32, put in their place.
fn damaged(tensor: &str, element: usize, value: f32) -> Checkpoint {
    let name = "grouped-f32";
    let info = fixture::checkpoint(name).tensor(tensor).unwrap().clone();
    let at = info.offset as usize + 4 * element;
    let change = |bytes: &mut Vec<u8>| bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    fixture::changed(name, |_| (), change).unwrap()
}

/// The error of reading tokens and writing one.
fn error(checkpoint: &Checkpoint, ids: &[u32]) -> ModelError {
    let Engine { mut executor, model } = Engine::load(checkpoint).unwrap();
    pollster::block_on(async {
        let mut generation = Generation::start(&model, &mut executor, ids, 1, Sampling::default(), None).await?;
        generation.next(&model, &mut executor).await
    })
    .unwrap_err()
}

#[test]
fn results_that_are_no_numbers_are_an_error_that_says_where_they_began() {
    for (tensor, value, what) in [
        ("model.layers.1.mlp.up_proj.weight", f32::NAN, "no numbers (NaN) come out of matmul with"),
        ("model.layers.0.self_attn.v_proj.weight", f32::INFINITY, "infinite come out of matmul with"),
        ("model.layers.1.self_attn.o_proj.weight", f32::NAN, "no numbers (NaN) come out of matmul with"),
    ] {
        let error = error(&damaged(tensor, 5, value), &[5, 6, 7, 8]);
        assert!(matches!(error, ModelError::NotFinite { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("{what} {tensor}. ")) || value.is_infinite() && text.contains(tensor), "{text}");
    }
}

/// Nothing is wanted of the pass in which the damage is.
#[test]
fn an_earlier_pass_is_found() {
    // Token 5, which only the first of several passes reads.
    let Engine { mut executor, model } = Engine::load(&damaged("model.embed_tokens.weight", 5 * 64, f32::NAN)).unwrap();
    let ids = std::iter::once(5).chain(std::iter::repeat_n(7, 99)).collect();
    let wanted = vec![Wanted { position: 99, tokens: vec![3] }];
    let sequence = Sequence { start: 0, input: Input::Tokens(ids), factors: None, wanted };
    let mut cache = KvCache::new(&model, &mut executor, 100).unwrap();
    let error = pollster::block_on(model.prefill(&mut executor, &sequence, &mut cache, 16)).unwrap_err().to_string();
    assert!(error.contains("embed with model.embed_tokens.weight"), "{error}");
}
