//! The same numbers, whichever way they are computed.

use crate::fixture::{ALL, Engine, checkpoint, difference_nats, expected};
use kernels::Operator;
use model::{Input, KeyFactors};

/// Of log-probabilities, where sums are taken in another order. Logits go up to 19 here, and those of PyTorch in f32 are as
/// far as 2e-5 from its own in f64.
const ROUNDING_NATS: f32 = 5e-5;

#[test]
fn decoding_token_by_token_agrees_with_prefill() {
    for name in ALL {
        let ids = expected(name).ids;
        let mut engine = Engine::load(&checkpoint(name)).unwrap();
        let at_once = engine.prefill(&ids);
        // One by one, and in pieces of which the last one is ragged.
        for piece in [1, 7] {
            let mut cache = engine.cache(ids.len());
            let rows: Vec<_> = ids.chunks(piece).flat_map(|ids| engine.extend(Input::Tokens(ids.to_vec()), &mut cache)).collect();
            assert_eq!(cache.len(), ids.len());
            let difference = difference_nats(&rows, &at_once);
            println!("{name}: by {piece}: {difference:e} nats");
            assert!(difference < ROUNDING_NATS, "{name}: by {piece}: {difference} nats");
        }
    }
}

#[test]
fn a_truncated_cache_continues_as_if_the_rest_had_never_been() {
    for name in ALL {
        let ids = expected(name).ids;
        let mut engine = Engine::load(&checkpoint(name)).unwrap();
        let at_once = engine.prefill(&ids);
        let mut cache = engine.cache(ids.len());
        let mut detour = ids.clone();
        detour[10..].reverse();
        engine.extend(Input::Tokens(detour), &mut cache);
        cache.truncate(10);
        let rows = engine.extend(Input::Tokens(ids[10..].to_vec()), &mut cache);
        let difference = difference_nats(&rows, &at_once[10..]);
        assert!(difference < ROUNDING_NATS, "{name}: {difference} nats");
    }
}

#[test]
fn embeddings_as_input_are_the_tokens_that_they_belong_to() {
    for name in ALL {
        let ids = expected(name).ids;
        let mut engine = Engine::load(&checkpoint(name)).unwrap();
        let embeddings = pollster::block_on(engine.model.embed(&mut engine.executor, &ids)).unwrap();
        assert_eq!(embeddings.len(), ids.len() * engine.model.config().d_model);
        let from_tokens = engine.prefill(&ids);
        let mut cache = engine.cache(ids.len());
        assert_eq!(engine.extend(Input::Embeddings(embeddings.clone()), &mut cache), from_tokens, "{name}");
        let states =
            |engine: &mut Engine, input| pollster::block_on(engine.model.hidden_states(&mut engine.executor, input)).unwrap();
        let of_tokens = states(&mut engine, Input::Tokens(ids));
        assert_eq!(states(&mut engine, Input::Embeddings(embeddings)), of_tokens, "{name}");
    }
}

#[test]
fn factors_act_only_in_their_layers() {
    for name in ALL {
        let ids = expected(name).ids;
        let mut engine = Engine::load(&checkpoint(name)).unwrap();
        let baseline = engine.prefill(&ids);
        let n = engine.model.config().n_layers;
        let mut factors = vec![1.0; ids.len()];
        assert_eq!(engine.suppressed(&ids, &factors, 0..n), baseline, "{name}: factors of 1");
        factors[4] = 0.2;
        let mut changes: Vec<Vec<model::RowResult>> = Vec::new();
        for layers in [0..0, 1..1, n..n, n..9] {
            assert_eq!(engine.suppressed(&ids, &factors, layers.clone()), baseline, "{name}: layers {layers:?}");
        }
        for layers in [0..n, 0..1, 1..n] {
            let rows = engine.suppressed(&ids, &factors, layers.clone());
            assert_eq!(rows[..4], baseline[..4], "{name}: layers {layers:?}: before the suppressed key");
            let difference = difference_nats(&rows, &baseline);
            assert!(difference > 1e-2, "{name}: layers {layers:?} change {difference} nats");
            changes.push(rows);
        }
        assert!(difference_nats(&changes[0], &changes[1]) > 1e-3, "{name}: all layers are more than the first");
        assert!(difference_nats(&changes[0], &changes[2]) > 1e-3, "{name}: all layers are more than the last");
        assert_eq!(engine.suppressed(&ids, &factors, 0..9), changes[0], "{name}: layers beyond the last");
    }
}

#[test]
fn a_batch_over_a_shared_cache_agrees_with_each_sequence_alone_in_full() {
    for name in ALL {
        let ids = expected(name).ids;
        let mut engine = Engine::load(&checkpoint(name)).unwrap();
        let mut cache = engine.cache(ids.len());
        engine.extend(Input::Tokens(ids.clone()), &mut cache);
        for operator in [Operator::LogAdditive, Operator::Multiplicative, Operator::Shifted] {
            let keys = [(3, 0.0), (11, 0.3), (ids.len() - 1, 0.1), (0, 1.7)];
            let sequence = |engine: &Engine, start: usize, (key, factor)| {
                let mut factors = vec![1.0; ids.len()];
                factors[key] = factor;
                let layers = 0..engine.model.config().n_layers;
                engine.sequence(start, Input::Tokens(ids[start..].to_vec()), Some(KeyFactors { factors, operator, layers }))
            };
            let batch = keys.map(|(key, factor)| sequence(&engine, key, (key, factor))).to_vec();
            let mut shared = engine.run(batch, &cache);
            for (key, factor) in keys {
                let alone = sequence(&engine, 0, (key, factor));
                let empty = engine.cache(0);
                let full = engine.run(vec![alone], &empty);
                let rest = shared.split_off(ids.len() - key);
                let difference = difference_nats(&shared, &full[key..]);
                shared = rest;
                println!("{name}: {operator}, key {key}: {difference:e} nats");
                assert!(difference < 1e-4, "{name}: {operator}, key {key}: {difference} nats");
            }
            assert!(shared.is_empty());
        }
    }
}
