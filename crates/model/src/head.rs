//! The LM head: log-probabilities of wanted tokens and the likeliest tokens, never all logits.

use crate::block::Allocate;
use crate::{BatchShape, Model, ModelError};
use kernels::{Buffer, Executor, Op};

/// f32 words of logits held at a time, 8 MiB: the vocabulary is gone through in pieces of so many.
pub(crate) const LOGIT_WORDS: usize = 2 * 1024 * 1024;

/// What the model says after one wanted position.
#[derive(Clone, Debug, PartialEq)]
pub struct RowResult {
    /// Natural logarithms of the probabilities of the wanted tokens, in their order.
    pub log_probs: Vec<f32>,
    /// Their logits.
    pub logits: Vec<f32>,
    /// The likeliest tokens, best first: as many as were asked for, or all there are.
    pub top: Vec<TokenScore>,
}

/// A token and how likely it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenScore {
    /// The token.
    pub token: u32,
    /// Its logit.
    pub logit: f32,
    /// The natural logarithm of its probability.
    pub log_prob: f32,
}

/// Where the head's results lie in one buffer, read back at once.
pub(crate) struct HeadResults {
    buffer: Buffer,
    words: usize,
    /// The wanted tokens, yet to be written.
    wanted: Buffer,
    shape: BatchShape,
    top_k: usize,
    pieces: usize,
    vocab_size: usize,
}

impl HeadResults {
    /// Appends to `ops` what turns final hidden states `normed [rows, d_model]` into results.
    pub(crate) fn plan(
        model: &Model,
        shape: BatchShape,
        normed: &Buffer,
        top_k: usize,
        ops: &mut Vec<Op>,
        alloc: &mut Allocate<'_>,
    ) -> Result<HeadResults, ModelError> {
        let (rows, n) = (shape.wanted_rows, shape.wanted_tokens);
        let vocab_size = model.config.vocab_size;
        let per_piece = (LOGIT_WORDS / rows.max(1)).clamp(1024, 1 << 15).min(vocab_size);
        let pieces = vocab_size.div_ceil(per_piece);
        let top_words = 2 * top_k * rows;

        let logits = alloc(rows * per_piece, "logits")?;
        let state = alloc(2 * rows, "log-sum-exp")?;
        let picked = alloc(n.max(1), "wanted logits")?;
        let wanted = alloc(2 * n.max(1), "wanted tokens")?;
        // Results: the log-sum-exp of each row, the wanted logits, then each piece's likeliest tokens.
        let words = 2 * rows + n + pieces * top_words;
        let buffer = alloc(words.max(1), "results")?;
        for piece in 0..pieces {
            let first_col = piece * per_piece;
            let cols = per_piece.min(vocab_size - first_col);
            ops.push(Op::MatMul {
                x: normed.clone(),
                weight: model.lm_head.clone(),
                outputs: first_col..first_col + cols,
                out: logits.clone(),
                rows,
                accumulate: false,
            });
            ops.push(Op::LogSumExp { logits: logits.clone(), state: state.clone(), rows, cols, first: piece == 0 });
            if n > 0 {
                let (logits, wanted, out) = (logits.clone(), wanted.clone(), picked.clone());
                ops.push(Op::Pick { logits, wanted, out, n, rows, cols, first_col });
            }
            if top_k > 0 {
                let out_word = 2 * rows + n + piece * top_words;
                ops.push(Op::TopK { logits: logits.clone(), out: buffer.clone(), out_word, rows, cols, first_col, k: top_k });
            }
        }
        ops.push(Op::Copy { from: state, from_word: 0, to: buffer.clone(), to_word: 0, words: 2 * rows });
        if n > 0 {
            ops.push(Op::Copy { from: picked, from_word: 0, to: buffer.clone(), to_word: 2 * rows, words: n });
        }
        Ok(HeadResults { buffer, words, wanted, shape, top_k, pieces, vocab_size })
    }

    /// Writes the wanted `(row, token)` pairs, before the operations run.
    pub(crate) fn write_wanted(&self, executor: &mut dyn Executor, pairs: &[[u32; 2]]) -> Result<(), ModelError> {
        Ok(executor.write(&self.wanted, 0, bytemuck::cast_slice(pairs))?)
    }

    /// Reads the results back: once, whatever their number.
    pub(crate) async fn read(self, executor: &mut dyn Executor, tokens_per_row: &[usize]) -> Result<Vec<RowResult>, ModelError> {
        let words = executor.read(&self.buffer, self.words).await?;
        let floats: &[f32] = bytemuck::cast_slice(&words);
        let rows = self.shape.wanted_rows;
        let (states, rest) = floats.split_at(2 * rows);
        let (mut picked, tops) = rest.split_at(self.shape.wanted_tokens);
        let mut results = Vec::with_capacity(rows);
        for (row, (state, tokens)) in states.chunks_exact(2).zip(tokens_per_row).enumerate() {
            let normaliser = state[0] + state[1].ln();
            let (mine, others) = picked.split_at(*tokens);
            picked = others;
            let mut top: Vec<TokenScore> = Vec::with_capacity(self.top_k * self.pieces);
            for piece in tops.chunks_exact((2 * self.top_k * rows).max(1)) {
                let entries = piece[2 * self.top_k * row..][..2 * self.top_k].chunks_exact(2);
                top.extend(entries.map(|entry| TokenScore {
                    token: entry[1].to_bits(),
                    logit: entry[0],
                    log_prob: entry[0] - normaliser,
                }));
            }
            // Pieces come in the order of their tokens, and the sort is stable: equal logits stay in that order. What fills
            // a piece of fewer than `top_k` tokens comes last, and is no token.
            top.sort_by(|a, b| b.logit.total_cmp(&a.logit));
            top.truncate(self.top_k.min(self.vocab_size));
            let log_probs = mine.iter().map(|logit| logit - normaliser).collect();
            results.push(RowResult { log_probs, logits: mine.to_vec(), top });
        }
        Ok(results)
    }
}
