//! One pass of a batch through the model: its memory, and its operations.

use crate::batch::Layout;
use crate::block::{Activations, Allocate, Block, Kept, Rows};
use crate::head::HeadResults;
use crate::parts::{Attending, Cached};
use crate::{BatchShape, KvCache, Model, ModelError, Positions};
use kernels::{Buffer, Cost, Executor, Op, RowEntry};

/// What a pass does besides computing wanted rows.
#[derive(Clone, Copy, Default)]
pub(crate) struct Extras<'a> {
    /// How many of the likeliest tokens of each wanted row.
    pub(crate) top_k: usize,
    /// Whether the batch's keys and values are added to the cache.
    pub(crate) append: bool,
    /// Receives the last wanted row's hidden state after each block.
    pub(crate) probe: Option<&'a Buffer>,
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
    /// u32 `[rows]`: the rows' positions, where they are learned.
    position_ids: Option<Buffer>,
    at: Activations,
}

impl<'a> Pass<'a> {
    /// Allocates activations and puts the input into `x`.
    pub(crate) async fn prepare(
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
        if let Some(ids) = &pass.position_ids {
            let positions: Vec<u32> = layout.table.iter().map(|entry| entry.position).collect();
            executor.write(ids, 0, &positions)?;
        }
        write_rows(model, executor, &pass.all, &layout.table)?;
        write_rows(model, executor, &pass.wanted, &layout.wanted_table())?;
        if !layout.embeddings.is_empty() {
            executor.run(&std::mem::take(&mut pass.ops)).await?;
            for (first_row, values) in &layout.embeddings {
                executor.write(&pass.at.x, first_row * model.config.d_model, bytemuck::cast_slice(values))?;
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
        let (rows, wanted) = (shape.rows, shape.wanted_rows);
        let ids = alloc(rows, "token ids")?;
        let at = Activations::allocate(&model.form, rows, alloc)?;
        let embed = Op::Embed { table: model.embedding.clone(), ids: ids.clone(), out: at.x.clone(), rows };
        let pass = Pass {
            shape,
            wanted_index: alloc(wanted.max(1), "wanted rows")?,
            // One more, so that there is a word even where nothing is suppressed.
            factors: alloc(shape.factors + 1, "key factors")?,
            all: allocate_rows(model, rows, shape.pairs, alloc)?,
            wanted: allocate_rows(model, wanted, shape.wanted_pairs, alloc)?,
            wanted_x: alloc((wanted * model.config.d_model).max(1), "wanted hidden states")?,
            position_ids: match model.positions {
                Some(_) => Some(alloc(rows, "positions")?),
                None => None,
            },
            at,
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
        self.add_positions();
        for (layer, block) in model.blocks.iter().enumerate() {
            self.block(layer, block, layer + 1 == model.blocks.len());
        }
        self.head(alloc)
    }

    /// Adds learned positions to embeddings, which are all there by now.
    fn add_positions(&mut self) {
        let Some((table, ids)) = self.model.positions.as_ref().zip(self.position_ids.as_ref()) else { return };
        let (rows, out) = (self.all.n, self.at.normed.clone());
        self.ops.push(Op::Embed { table: table.clone(), ids: ids.clone(), out: out.clone(), rows });
        let words = rows * self.model.config.d_model;
        self.ops.push(Op::Add { x: self.at.x.clone(), addend: out, words, period: words });
    }

    /// All operations so far and the head's, if anything is wanted.
    fn head(mut self, alloc: &mut Allocate<'_>) -> Result<(Vec<Op>, Option<HeadResults>), ModelError> {
        if self.wanted.n == 0 {
            return Ok((self.ops, None));
        }
        self.model.final_norm.apply(&self.wanted_x, &self.at.normed, self.wanted.n, &mut self.ops);
        let results = HeadResults::plan(self.model, self.shape, &self.at.normed, self.extras.top_k, &mut self.ops, alloc)?;
        Ok((self.ops, Some(results)))
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
        self.add_positions();
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

    /// One block; of the last only wanted rows go on.
    fn block(&mut self, layer: usize, block: &Block, is_last: bool) {
        let kept = is_last.then_some(Kept { rows: &self.wanted, index: &self.wanted_index, x: &self.wanted_x });
        let cached = self.cache.layers.get(layer).map(|(keys, values)| Cached {
            keys,
            values,
            is_read: self.shape.reads_cache,
            append_at: self.extras.append.then_some(self.cache.len),
        });
        let is_rotary = self.model.config.is_rotary(layer);
        let to = Attending { layer, all: &self.all, is_rotary, cached, factors: &self.factors };
        block.apply(&self.at, &to, kept, &mut self.ops);
        let (x, rows) = if is_last { (&self.wanted_x, self.wanted.n) } else { (&self.at.x, self.all.n) };
        if let Some(probe) = self.extras.probe
            && let Some(last_row) = rows.checked_sub(1)
        {
            // The probed row is the last wanted one, which is also the last of the batch.
            let words = self.model.config.d_model;
            let (from_word, to_word) = (last_row * words, layer * words);
            self.ops.push(Op::Copy { from: x.clone(), from_word, to: probe.clone(), to_word, words });
        }
    }
}

fn allocate_rows(model: &Model, n: usize, pairs: u64, alloc: &mut Allocate<'_>) -> Result<Rows, ModelError> {
    let table = alloc(8 * n.max(1), "row table")?;
    let angles = match model.config.positions {
        Positions::Rotary => Some(alloc(model.config.head_dim * n.max(1), "rotary angles")?),
        Positions::Learned => None,
    };
    Ok(Rows { n, table, angles, pairs })
}

fn write_rows(model: &Model, executor: &mut dyn Executor, rows: &Rows, table: &[RowEntry]) -> Result<(), ModelError> {
    executor.write(&rows.table, 0, bytemuck::cast_slice(table))?;
    if let Some(buffer) = &rows.angles {
        let angles = model.rope.angles(table.iter().map(|entry| entry.position as usize));
        executor.write(buffer, 0, bytemuck::cast_slice(&angles))?;
    }
    Ok(())
}
