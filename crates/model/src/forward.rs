//! The one decoder block, and a batch's way through all of them.

use crate::batch::Layout;
use crate::finite::first_not_finite;
use crate::head::HeadResults;
use crate::linear::Linear;
use crate::load::Block;
use crate::{BatchShape, Input, KvCache, Model, ModelError, RowBatch, RowResult, Sequence};
use kernels::{AttentionShape, Buffer, Cost, ExecError, Executor, Op, RowEntry};

impl Model {
    /// Runs sequences that share a baseline's cache, and leaves it as it is.
    ///
    /// Exact as long as nothing suppressed lies before a sequence's start, which is checked. One result for each wanted
    /// position, in the order of the sequences; each with its `top_k` likeliest tokens.
    pub async fn run(
        &self,
        executor: &mut dyn Executor,
        batch: &RowBatch,
        cache: &KvCache,
        top_k: usize,
    ) -> Result<Vec<RowResult>, ModelError> {
        let layout = Layout::new(batch, &self.config, cache.len, true)?;
        self.forward(executor, &layout, cache, Extras { top_k, ..Extras::default() }).await
    }

    /// Runs one sequence that continues the cache, and adds it there: prefill, or a step of decoding.
    ///
    /// Its key factors, if any, must have been the cache's own all along.
    pub async fn extend(
        &self,
        executor: &mut dyn Executor,
        sequence: Sequence,
        cache: &mut KvCache,
        top_k: usize,
    ) -> Result<Vec<RowResult>, ModelError> {
        self.extend_probed(executor, sequence, cache, top_k, None).await
    }

    /// The hidden state after each block at the last of the given positions, `n_layers` times `d_model` values.
    pub async fn hidden_states(&self, executor: &mut dyn Executor, input: Input) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut sequence = Sequence { start: 0, input, factors: None, wanted: Vec::new() };
        let len = sequence.len(self.config.d_model);
        sequence.wanted.push(crate::Wanted { position: len.saturating_sub(1), tokens: Vec::new() });
        let mut cache = KvCache::new(self, executor, len)?;
        let words = self.config.n_layers * self.config.d_model;
        let probe = executor.buffer(words, "hidden states")?;
        self.extend_probed(executor, sequence, &mut cache, 0, Some(&probe)).await?;
        let states = executor.read(&probe, words).await?;
        Ok(states.chunks_exact(self.config.d_model).map(|state| bytemuck::cast_slice(state).to_vec()).collect())
    }

    /// The embeddings of tokens, `[ids.len(), d_model]`.
    pub async fn embed(&self, executor: &mut dyn Executor, ids: &[u32]) -> Result<Vec<f32>, ModelError> {
        let rows = ids.len();
        let input = executor.buffer(rows.max(1), "token ids")?;
        executor.write(&input, 0, ids)?;
        let words = rows * self.config.d_model;
        let out = executor.buffer(words.max(1), "embeddings")?;
        executor.run(&[Op::Embed { table: self.embedding.clone(), ids: input, out: out.clone(), rows }]).await?;
        Ok(bytemuck::cast_vec(executor.read(&out, words).await?))
    }

    /// Readies the device for passes of one row and of many, so that the first is no slower than the next.
    pub(crate) async fn warm_up(&self, executor: &mut dyn Executor) -> Result<(), ModelError> {
        let most = self.config.max_positions;
        for (start, rows, n_wanted) in WARM_UP_PASSES.into_iter().filter(|(start, rows, _)| start + rows <= most) {
            let end = start + rows;
            let wanted = (end - n_wanted..end).map(|position| crate::Wanted { position, tokens: vec![0] }).collect();
            let sequence = Sequence { start, input: Input::Tokens(vec![0; rows]), factors: None, wanted };
            let batch = RowBatch { sequences: vec![sequence] };
            let layout = Layout::new(&batch, &self.config, start, false)?;
            let cache = KvCache::new(self, executor, start + rows)?;
            let extras = Extras { top_k: 1, append: true, probe: None };
            let pass = Pass::prepare(self, executor, &layout, &cache, extras).await?;
            let (ops, _) = pass.finish(&mut |words, purpose| executor.buffer(words, purpose))?;
            executor.warm_up(&ops).await?;
        }
        self.warm_up_vision(executor).await
    }

    async fn extend_probed(
        &self,
        executor: &mut dyn Executor,
        sequence: Sequence,
        cache: &mut KvCache,
        top_k: usize,
        probe: Option<&Buffer>,
    ) -> Result<Vec<RowResult>, ModelError> {
        let end = sequence.start + sequence.len(self.config.d_model);
        if sequence.start != cache.len {
            let what = format!("starts at position {}, but continues a cache of {}", sequence.start, cache.len);
            return Err(ModelError::Batch { sequence: 0, what });
        }
        if end > cache.capacity() {
            return Err(ModelError::TooLong { what: "the cache", needed: end, limit: cache.capacity() });
        }
        let batch = RowBatch { sequences: vec![sequence] };
        let layout = Layout::new(&batch, &self.config, cache.len, false)?;
        let results = self.forward(executor, &layout, cache, Extras { top_k, append: true, probe }).await?;
        cache.len = end;
        Ok(results)
    }

    async fn forward(
        &self,
        executor: &mut dyn Executor,
        layout: &Layout,
        cache: &KvCache,
        extras: Extras<'_>,
    ) -> Result<Vec<RowResult>, ModelError> {
        let pass = Pass::prepare(self, executor, layout, cache, extras).await?;
        let (ops, results) = pass.finish(&mut |words, purpose| executor.buffer(words, purpose))?;
        if let Some(results) = &results {
            results.write_wanted(executor, &layout.wanted_tokens)?;
        }
        executor.run(&ops).await?;
        // What the operations alone held may be reused from here on.
        drop(ops);
        let Some(results) = results else { return Ok(Vec::new()) };
        let rows = results.read(executor, &layout.tokens_per_row).await?;
        if rows.iter().all(RowResult::is_finite) {
            return Ok(rows);
        }
        // Run again, for what the operations wrote is gone by now.
        let pass = Pass::prepare(self, executor, layout, cache, extras).await?;
        let (ops, _) = pass.finish(&mut |words, purpose| executor.buffer(words, purpose))?;
        Err(self.not_finite(first_not_finite(executor, &ops).await?))
    }

    /// The error of results that are no finite numbers, which began where that says.
    pub(crate) fn not_finite(&self, began: Option<String>) -> ModelError {
        let began =
            began.unwrap_or_else(|| "they are not, operation by operation, so the device is not to be relied on".to_owned());
        ModelError::NotFinite { model: self.name().to_owned(), began }
    }
}

/// Start, rows and wanted rows of the passes that a device is readied for: kernels for one row, for few and for many, with and
/// without a cache, are different ones, and only wanted rows go through the last block and the head.
const WARM_UP_PASSES: [(usize, usize, usize); 5] = [(1, 1, 1), (0, 16, 1), (1, 3, 3), (0, 16, 16), (1, 16, 16)];

/// What a pass does besides computing wanted rows.
#[derive(Clone, Copy, Default)]
pub(crate) struct Extras<'a> {
    /// How many of the likeliest tokens of each wanted row.
    top_k: usize,
    /// Whether the batch's keys and values are added to the cache.
    append: bool,
    /// Receives the last wanted row's hidden state after each block.
    probe: Option<&'a Buffer>,
}

/// One pass of a batch: its activations, and the operations so far.
pub(crate) struct Pass<'a> {
    model: &'a Model,
    cache: &'a KvCache,
    extras: Extras<'a>,
    ops: Vec<Op>,
    shape: BatchShape,
    /// All rows of the batch, and what attention needs of them.
    all: Rows,
    /// The wanted ones; what they pass through is the last block's attention and MLP.
    wanted: Rows,
    wanted_index: Buffer,
    wanted_x: Buffer,
    factors: Buffer,
    x: Buffer,
    normed: Buffer,
    q: Buffer,
    k: Buffer,
    v: Buffer,
    gate: Buffer,
    up: Buffer,
}

/// Rows that go through a block together.
#[derive(Clone)]
struct Rows {
    n: usize,
    table: Buffer,
    angles: Buffer,
    pairs: u64,
}

impl Rows {
    fn allocate(model: &Model, n: usize, pairs: u64, alloc: &mut Allocate<'_>) -> Result<Rows, ModelError> {
        let table = alloc(8 * n.max(1), "row table")?;
        let angles = alloc(model.config.head_dim * n.max(1), "rotary angles")?;
        Ok(Rows { n, table, angles, pairs })
    }

    fn write(&self, model: &Model, executor: &mut dyn Executor, table: &[RowEntry]) -> Result<(), ModelError> {
        executor.write(&self.table, 0, bytemuck::cast_slice(table))?;
        let angles = model.rope.angles(table.iter().map(|entry| entry.position as usize));
        executor.write(&self.angles, 0, bytemuck::cast_slice(&angles))?;
        Ok(())
    }
}

/// Makes a buffer of so many words for a purpose: on an executor, or for the sake of counting.
pub(crate) type Allocate<'a> = dyn FnMut(usize, &'static str) -> Result<Buffer, ExecError> + 'a;

impl<'a> Pass<'a> {
    /// Allocates activations and puts the input into `x`.
    async fn prepare(
        model: &'a Model,
        executor: &mut dyn Executor,
        layout: &Layout,
        cache: &'a KvCache,
        extras: Extras<'a>,
    ) -> Result<Pass<'a>, ModelError> {
        let mut alloc = |words: usize, purpose: &'static str| executor.buffer(words, purpose);
        let (mut pass, ids) = Pass::allocate(model, layout.shape(), cache, extras, &mut alloc)?;
        executor.write(&ids, 0, &layout.ids)?;
        drop(ids);
        executor.write(&pass.wanted_index, 0, &layout.wanted_rows)?;
        executor.write(&pass.factors, 0, bytemuck::cast_slice(&layout.factors))?;
        pass.all.write(model, executor, &layout.table)?;
        pass.wanted.write(model, executor, &layout.wanted_table())?;
        if !layout.embeddings.is_empty() {
            executor.run(&std::mem::take(&mut pass.ops)).await?;
            for (first_row, values) in &layout.embeddings {
                executor.write(&pass.x, first_row * model.config.d_model, bytemuck::cast_slice(values))?;
            }
        }
        Ok(pass)
    }

    /// The buffers of a pass, and the one that token ids go into.
    pub(crate) fn allocate(
        model: &'a Model,
        shape: BatchShape,
        cache: &'a KvCache,
        extras: Extras<'a>,
        alloc: &mut Allocate<'_>,
    ) -> Result<(Pass<'a>, Buffer), ModelError> {
        let config = &model.config;
        let (rows, wanted) = (shape.rows, shape.wanted_rows);
        let ids = alloc(rows, "token ids")?;
        let x = alloc(rows * config.d_model, "hidden states")?;
        let embed = Op::Embed { table: model.embedding.clone(), ids: ids.clone(), out: x.clone(), rows };
        let pass = Pass {
            shape,
            wanted_index: alloc(wanted.max(1), "wanted rows")?,
            // One more, so that there is a word even where nothing is suppressed.
            factors: alloc(shape.factors + 1, "key factors")?,
            all: Rows::allocate(model, rows, shape.pairs, alloc)?,
            wanted: Rows::allocate(model, wanted, shape.wanted_pairs, alloc)?,
            wanted_x: alloc((wanted * config.d_model).max(1), "wanted hidden states")?,
            // Serves the normed input of attention, attention's output, and the normed input of the MLP in turn.
            normed: alloc(rows * config.d_model.max(config.q_width()), "normed states")?,
            q: alloc(rows * config.q_width(), "queries")?,
            k: alloc(rows * config.kv_width(), "keys")?,
            v: alloc(rows * config.kv_width(), "values")?,
            gate: alloc(rows * config.d_ff, "MLP gates")?,
            up: alloc(rows * config.d_ff, "MLP values")?,
            x,
            model,
            cache,
            extras,
            ops: vec![embed],
        };
        Ok((pass, ids))
    }

    /// All blocks, and the head if anything is wanted: the operations, and where their results will lie.
    pub(crate) fn finish(mut self, alloc: &mut Allocate<'_>) -> Result<(Vec<Op>, Option<HeadResults>), ModelError> {
        let model = self.model;
        for (layer, block) in model.blocks.iter().enumerate() {
            self.block(layer, block, layer + 1 == model.blocks.len());
        }
        self.head(alloc)
    }

    /// All operations so far and the head's, if anything is wanted.
    fn head(mut self, alloc: &mut Allocate<'_>) -> Result<(Vec<Op>, Option<HeadResults>), ModelError> {
        if self.wanted.n == 0 {
            return Ok((self.ops, None));
        }
        let model = self.model;
        self.norm(&self.wanted_x.clone(), &model.final_norm, self.wanted.n);
        let Pass { shape, normed, mut ops, extras, .. } = self;
        let results = HeadResults::plan(model, shape, &normed, extras.top_k, &mut ops, alloc)?;
        Ok((ops, Some(results)))
    }

    /// Names and costs of the operations of one block but the last.
    pub(crate) fn costs_of_block(&mut self, layer: usize) -> Vec<(&'static str, Cost)> {
        let model = self.model;
        self.ops.clear();
        if let Some(block) = model.blocks.get(layer) {
            self.block(layer, block, false);
        }
        self.ops.drain(..).map(|op| (op.name(), op.cost())).collect()
    }

    /// What [`Pass::finish`] describes costs. Of blocks that are alike only one is gone through: `kinds` has one of each kind
    /// and their number, all but the last block.
    pub(crate) fn cost(mut self, kinds: &[(usize, u64)], alloc: &mut Allocate<'_>) -> Result<Cost, ModelError> {
        let model = self.model;
        let mut total: Cost = self.ops.drain(..).map(|op| op.cost()).sum();
        for (layer, number) in kinds {
            let of_block: Cost = self.costs_of_block(*layer).into_iter().map(|(_, cost)| cost).sum();
            total += of_block.times(*number);
        }
        if let Some(last) = model.blocks.len().checked_sub(1)
            && let Some(block) = model.blocks.get(last)
        {
            self.block(last, block, true);
        }
        let (ops, _) = self.head(alloc)?;
        Ok(total + ops.iter().map(Op::cost).sum())
    }

    /// Attention and MLP, each after a norm and added to its input. In the last block all rows give keys and values, and
    /// only the wanted ones go on.
    fn block(&mut self, layer: usize, block: &Block, last: bool) {
        let config = &self.model.config;
        let all = self.all.clone();
        let (q, k, v) = (self.q.clone(), self.k.clone(), self.v.clone());
        self.norm(&self.x.clone(), &block.attention_norm, all.n);
        self.project(&block.k, &k, all.n);
        self.project(&block.v, &v, all.n);
        self.rotate(&k, &all, config.n_kv_heads);
        if self.extras.append {
            self.append(layer);
        }
        let (x, rows) = if last {
            self.keep_wanted();
            (self.wanted_x.clone(), self.wanted.clone())
        } else {
            (self.x.clone(), all)
        };
        if rows.n == 0 {
            return;
        }
        if last {
            self.norm(&x, &block.attention_norm, rows.n);
        }
        self.project(&block.q, &q, rows.n);
        self.rotate(&q, &rows, config.n_heads);
        self.attend(layer, &rows);
        block.o.apply(&self.normed, &x, rows.n, true, &mut self.ops);

        self.norm(&x, &block.mlp_norm, rows.n);
        let (gate, up) = (self.gate.clone(), self.up.clone());
        self.project(&block.gate, &gate, rows.n);
        self.project(&block.up, &up, rows.n);
        self.ops.push(Op::SwiGlu { gate: gate.clone(), up, words: rows.n * config.d_ff });
        block.down.apply(&gate, &x, rows.n, true, &mut self.ops);
        if let Some(probe) = self.extras.probe {
            // The probed row is the last wanted one, which is also the last of the batch.
            let d_model = config.d_model;
            let from_word = (rows.n - 1) * d_model;
            let (to, to_word) = (probe.clone(), layer * d_model);
            self.ops.push(Op::Copy { from: x, from_word, to, to_word, words: d_model });
        }
    }

    /// `normed = norm(x)`.
    fn norm(&mut self, x: &Buffer, gain: &Buffer, rows: usize) {
        let config = &self.model.config;
        self.ops.push(Op::RmsNorm {
            x: x.clone(),
            gain: gain.clone(),
            out: self.normed.clone(),
            rows,
            cols: config.d_model,
            eps: config.norm_eps,
        });
    }

    /// `out = normed . weight^T`, and the bias.
    fn project(&mut self, linear: &Linear, out: &Buffer, rows: usize) {
        linear.apply(&self.normed, out, rows, false, &mut self.ops);
    }

    fn rotate(&mut self, x: &Buffer, rows: &Rows, heads: usize) {
        let head_dim = self.model.config.head_dim;
        self.ops.push(Op::Rope { x: x.clone(), angles: rows.angles.clone(), rows: rows.n, heads, head_dim });
    }

    /// Adds the batch's keys and values to the cache.
    fn append(&mut self, layer: usize) {
        let width = self.model.config.kv_width();
        let Some((cache_k, cache_v)) = self.cache.layers.get(layer) else { return };
        for (from, to) in [(&self.k, cache_k), (&self.v, cache_v)] {
            let (to_word, words) = (self.cache.len * width, self.all.n * width);
            self.ops.push(Op::Copy { from: from.clone(), from_word: 0, to: to.clone(), to_word, words });
        }
    }

    fn keep_wanted(&mut self) {
        let (rows, cols) = (self.wanted.n, self.model.config.d_model);
        if rows > 0 {
            let (from, index, out) = (self.x.clone(), self.wanted_index.clone(), self.wanted_x.clone());
            self.ops.push(Op::Gather { from, index, out, rows, cols });
        }
    }

    /// `normed = attention(q)` over the cache and the batch.
    fn attend(&mut self, layer: usize, rows: &Rows) {
        let config = &self.model.config;
        let Some((cache_k, cache_v)) = self.cache.layers.get(layer) else { return };
        // Naming the batch's own keys says that none come from a cache, for which a device may have a cheaper kernel.
        let (cache_k, cache_v) = if self.shape.reads_cache { (cache_k, cache_v) } else { (&self.k, &self.v) };
        self.ops.push(Op::Attention {
            q: self.q.clone(),
            k: self.k.clone(),
            v: self.v.clone(),
            cache_k: cache_k.clone(),
            cache_v: cache_v.clone(),
            table: rows.table.clone(),
            factors: self.factors.clone(),
            out: self.normed.clone(),
            n_rows: rows.n,
            batch_rows: self.all.n,
            layer: layer as u32,
            shape: AttentionShape { n_heads: config.n_heads, n_kv_heads: config.n_kv_heads, head_dim: config.head_dim },
            pairs: rows.pairs,
        });
    }
}
