//! Rows to compute: prefill, decoding and suppressed sequences alike.

use crate::{BatchShape, Mixed, ModelConfig, ModelError};
use kernels::{NO_FACTORS, Operator, RowEntry};
use std::ops::Range;

/// Sequences that run together, packed without padding.
#[derive(Clone, Debug, Default)]
pub struct RowBatch {
    /// In the order of their rows.
    pub sequences: Vec<Sequence>,
}

/// One run of positions `start .. start + input.len()`; what comes before is read from the cache.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// First position to compute.
    pub start: usize,
    /// What stands at these positions.
    pub input: Input,
    /// How attention to its keys is scaled, if it is.
    pub factors: Option<KeyFactors>,
    /// Positions whose output is wanted, in rising order.
    pub wanted: Vec<Wanted>,
}

/// What stands at consecutive positions.
#[derive(Clone, Debug)]
pub enum Input {
    /// Token ids.
    Tokens(Vec<u32>),
    /// Embeddings in place of tokens, `[positions, d_model]`.
    Embeddings(Vec<f32>),
    /// Token ids, with embeddings in place of some.
    Mixed(Mixed),
}

/// Factors on attention scores, by key.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyFactors {
    /// One for each position of the sequence from 0 on; 1 leaves a key as it is.
    pub factors: Vec<f32>,
    /// How they act.
    pub operator: Operator,
    /// In which layers; `0..n_layers` for all.
    pub layers: Range<usize>,
}

/// A position whose output is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The position, within the sequence's own.
    pub position: usize,
    /// Tokens whose log-probabilities after that position are wanted.
    pub tokens: Vec<u32>,
}

impl Sequence {
    /// How many positions are computed.
    pub fn len(&self, d_model: usize) -> usize {
        match &self.input {
            Input::Tokens(ids) => ids.len(),
            Input::Embeddings(values) => values.len() / d_model.max(1),
            Input::Mixed(mixed) => mixed.len(),
        }
    }

    /// The part of it at these positions, which are its own.
    pub(crate) fn part(&self, positions: Range<usize>, d_model: usize) -> Sequence {
        let within = positions.start - self.start..positions.end - self.start;
        let input = match &self.input {
            Input::Tokens(ids) => Input::Tokens(ids.get(within).unwrap_or_default().to_vec()),
            Input::Embeddings(values) => {
                Input::Embeddings(values.get(within.start * d_model..within.end * d_model).unwrap_or_default().to_vec())
            }
            Input::Mixed(mixed) => Input::Mixed(mixed.slice(within)),
        };
        let factors = self.factors.as_ref().map(|all| {
            let factors = all.factors.get(..positions.end).unwrap_or(&all.factors).to_vec();
            KeyFactors { factors, operator: all.operator, layers: all.layers.clone() }
        });
        let wanted = self.wanted.iter().filter(|wanted| positions.contains(&wanted.position)).cloned().collect();
        Sequence { start: positions.start, input, factors, wanted }
    }

    /// Whether its rows can be computed in several passes: no row looks at keys of later ones.
    pub(crate) fn is_causal(&self) -> bool {
        self.factors.as_ref().is_none_or(|factors| factors.operator != Operator::ShiftedFull)
    }

    /// The first key whose factor is not 1.
    pub fn first_suppressed(&self) -> Option<usize> {
        self.factors.as_ref()?.factors.iter().position(|f| *f != 1.0)
    }
}

/// A batch laid out in rows: what the operations need to know of it.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// One entry for each row.
    pub(crate) table: Vec<RowEntry>,
    /// Factors of all sequences, one after another; never empty.
    pub(crate) factors: Vec<f32>,
    /// Token ids, 0 where an embedding stands.
    pub(crate) ids: Vec<u32>,
    /// First row and values of each run of rows that come as embeddings.
    pub(crate) embeddings: Vec<(usize, Vec<f32>)>,
    /// Wanted rows.
    pub(crate) wanted_rows: Vec<u32>,
    /// Wanted `(index in wanted_rows, token)` pairs, those of one row together.
    pub(crate) wanted_tokens: Vec<[u32; 2]>,
    /// How many of these each wanted row has.
    pub(crate) tokens_per_row: Vec<usize>,
}

impl Layout {
    /// Lays a batch out, with `cached` positions in the cache. `shared` says that the cache is a baseline that the
    /// sequences' factors had no part in: then nothing suppressed may lie in it.
    pub(crate) fn new(batch: &RowBatch, config: &ModelConfig, cached: usize, shared: bool) -> Result<Layout, ModelError> {
        let mut layout = Layout { factors: vec![1.0], ..Layout::default() };
        for (i, sequence) in batch.sequences.iter().enumerate() {
            layout.push(sequence, config, cached, shared).map_err(|what| ModelError::Batch { sequence: i, what })?;
        }
        Ok(layout)
    }

    fn push(&mut self, sequence: &Sequence, config: &ModelConfig, cached: usize, shared: bool) -> Result<(), String> {
        let (start, len) = (sequence.start, sequence.len(config.d_model));
        let end = start + len;
        let require = |holds: bool, what: &dyn Fn() -> String| if holds { Ok(()) } else { Err(what()) };
        require(len > 0, &|| "no positions to compute".to_owned())?;
        require(start <= cached, &|| format!("starts at position {start}, but only {cached} are cached"))?;
        require(end <= config.max_positions, &|| {
            format!("{end} positions, but the model was made for {}", config.max_positions)
        })?;
        let first_row = self.table.len();
        let mut entry = RowEntry {
            cached: start as u32,
            first_row: first_row as u32,
            position: 0,
            n_positions: end as u32,
            factors: NO_FACTORS,
            operator: Operator::default().code(),
            layer_begin: 0,
            layer_end: 0,
        };
        if let Some(KeyFactors { factors, operator, layers }) = &sequence.factors {
            require(factors.len() == end, &|| format!("{} key factors for {end} positions", factors.len()))?;
            require(factors.iter().all(|f| f.is_finite() && *f >= 0.0), &|| "a key factor is negative or not finite".to_owned())?;
            let first_suppressed = sequence.first_suppressed().unwrap_or(end);
            require(!shared || first_suppressed >= start, &|| {
                format!("starts at position {start}, but key {first_suppressed} before it is suppressed")
            })?;
            require(*operator != Operator::ShiftedFull || start == 0, &|| {
                format!("operator {operator} looks at future keys, so its sequences must start at position 0")
            })?;
            entry.factors = self.factors.len() as u32;
            entry.operator = operator.code();
            entry.layer_begin = layers.start.min(config.n_layers) as u32;
            entry.layer_end = layers.end.min(config.n_layers) as u32;
            self.factors.extend(factors);
        }
        self.table.extend((start..end).map(|position| RowEntry { position: position as u32, ..entry }));
        match &sequence.input {
            Input::Tokens(ids) => self.push_tokens(ids, config.vocab_size)?,
            Input::Mixed(mixed) => {
                let at = self.ids.len();
                let marked = mixed.ids().iter().enumerate().map(|(i, id)| if mixed.is_image(i) { 0 } else { *id });
                self.push_tokens(&marked.collect::<Vec<_>>(), config.vocab_size)?;
                for (position, values) in mixed.embeddings() {
                    require(values.len() == config.d_model, &|| {
                        format!("an embedding of {} values at a position of {}", values.len(), config.d_model)
                    })?;
                    // Those that follow each other are written together.
                    match self.embeddings.last_mut() {
                        Some((row, run)) if *row >= at && *row + run.len() / config.d_model == at + position => {
                            run.extend(values)
                        }
                        _ => self.embeddings.push((at + position, values.to_vec())),
                    }
                }
            }
            Input::Embeddings(values) => {
                require(values.len() == len * config.d_model, &|| {
                    format!("{} values are no whole number of embeddings of {}", values.len(), config.d_model)
                })?;
                self.ids.extend(std::iter::repeat_n(0, len));
                self.embeddings.push((first_row, values.clone()));
            }
        }
        for wanted in &sequence.wanted {
            require((start..end).contains(&wanted.position), &|| {
                format!("position {} is wanted, but {start} to {} are computed", wanted.position, end - 1)
            })?;
            let index = self.wanted_rows.len() as u32;
            self.wanted_rows.push((first_row + wanted.position - start) as u32);
            for token in &wanted.tokens {
                require((*token as usize) < config.vocab_size, &|| format!("token {token} is not below {}", config.vocab_size))?;
                self.wanted_tokens.push([index, *token]);
            }
            self.tokens_per_row.push(wanted.tokens.len());
        }
        Ok(())
    }

    fn push_tokens(&mut self, ids: &[u32], vocab_size: usize) -> Result<(), String> {
        if let Some(unknown) = ids.iter().find(|id| **id as usize >= vocab_size) {
            return Err(format!("token {unknown} is not below {vocab_size}"));
        }
        self.ids.extend(ids);
        Ok(())
    }

    /// Table entries of the wanted rows.
    pub(crate) fn wanted_table(&self) -> Vec<RowEntry> {
        self.wanted_rows.iter().filter_map(|row| self.table.get(*row as usize).copied()).collect()
    }

    /// What the cost of the batch depends on.
    pub(crate) fn shape(&self) -> BatchShape {
        let pairs = |table: &[RowEntry]| table.iter().map(|entry| u64::from(entry.position) + 1).sum();
        BatchShape {
            rows: self.table.len(),
            wanted_rows: self.wanted_rows.len(),
            wanted_tokens: self.wanted_tokens.len(),
            factors: self.factors.len() - 1,
            pairs: pairs(&self.table),
            wanted_pairs: pairs(&self.wanted_table()),
            reads_cache: self.table.iter().any(|entry| entry.cached > 0),
        }
    }
}
