//! From a checkpoint to weights on a device, tensor by tensor in pieces.

use crate::block::{Block, BlockForm};
use crate::family::{Family, Names};
use crate::inventory::Inventory;
use crate::parts::{Norm, Rope, Stored, bias_of, reorder, weight_of};
use crate::shape::Blank;
use crate::vision::Vision;
use crate::{ModelConfig, ModelError};
use kernels::{Buffer, Executor, Weight, WeightSpec};
use std::ops::Range;
use std::sync::OnceLock;
use weights::{Checkpoint, TensorInfo};

/// A decoder whose weights an executor holds.
#[derive(Debug)]
pub struct Model {
    pub(crate) config: ModelConfig,
    pub(crate) form: BlockForm,
    pub(crate) embedding: Weight,
    /// `[max_positions, d_model]`, added to embeddings where positions are learned.
    pub(crate) positions: Option<Weight>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) final_norm: Norm,
    pub(crate) lm_head: Weight,
    pub(crate) rope: Rope,
    pub(crate) vision: Option<Vision>,
    family: &'static Family,
    name: String,
    /// What estimates need; made with the first.
    pub(crate) blank: OnceLock<Blank>,
}

/// How far loading has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadProgress {
    /// Stored bytes of weights now on the device.
    pub loaded_bytes: u64,
    /// All of them.
    pub total_bytes: u64,
}

impl Model {
    /// Streams a checkpoint's weights to `executor`, calling `progress` after each piece, and readies the device for them.
    ///
    /// # Errors
    /// As [`Inventory::of`], and where reading or the device fails.
    pub async fn load(
        checkpoint: &Checkpoint,
        executor: &mut dyn Executor,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<Model, ModelError> {
        let name = checkpoint.name().to_owned();
        let Inventory { config, family, .. } = Inventory::of(checkpoint)?;
        let names = family.stored_names(checkpoint);
        let form = config.block_form(family, checkpoint.config());
        let total_bytes = checkpoint.tensors().map(|tensor| tensor.len_bytes).sum();
        let mut loader =
            Loader { checkpoint, executor, progress, report: LoadProgress { loaded_bytes: 0, total_bytes }, name: &name, family };
        let d = config.d_model;
        let embedding = loader.matrix(&weight_of(names.embedding), config.vocab_size, d).await?;
        let positions = match names.positions {
            Some(tensor) => Some(loader.matrix(tensor, config.max_positions, d).await?),
            None => None,
        };
        let mut blocks = Vec::with_capacity(config.n_layers);
        for layer in 0..config.n_layers {
            blocks.push(Block::load(&mut loader, &names.block, layer, &form).await?);
        }
        let final_norm = Norm::load(&mut loader, names.final_norm, d, form.norm).await?;
        let lm_head = if config.tied_embedding && !loader.has(&weight_of(names.lm_head)) {
            embedding.clone()
        } else {
            loader.matrix(&weight_of(names.lm_head), config.vocab_size, d).await?
        };
        let divisors = loader.rope_divisors(names, config.head_dim / 2).await?;
        let rope = Rope::new(&config, divisors.as_deref());
        let vision = match (&config.vision, &family.vision) {
            (Some(vision), Some(names)) => Some(Vision::load(&mut loader, names, vision, d).await?),
            _ => None,
        };
        let blank = OnceLock::new();
        let model = Model { rope, config, form, embedding, positions, blocks, final_norm, lm_head, vision, family, name, blank };
        model.warm_up(executor).await?;
        Ok(model)
    }

    /// Its dimensions.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Its architecture family.
    pub fn family(&self) -> &'static Family {
        self.family
    }

    /// The name of the file or folder that it came from.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The stored formats of its matrices, each once.
    pub fn formats(&self) -> Vec<tensor::Format> {
        let blocks = self.blocks.iter().flat_map(Block::weights);
        let vision = self.vision.iter().flat_map(Vision::weights);
        let mut formats: Vec<_> =
            blocks.chain([&self.embedding, &self.lm_head]).chain(&self.positions).chain(vision).map(Weight::format).collect();
        formats.sort();
        formats.dedup();
        formats
    }
}

/// Brings tensors of a checkpoint to an executor.
pub(crate) struct Loader<'a> {
    checkpoint: &'a Checkpoint,
    executor: &'a mut dyn Executor,
    progress: &'a mut dyn FnMut(LoadProgress),
    report: LoadProgress,
    name: &'a str,
    family: &'static Family,
}

impl<'a> Loader<'a> {
    /// Whether the files have a tensor of that name, readable or not.
    pub(crate) fn has(&self, tensor: &str) -> bool {
        self.checkpoint.has(tensor)
    }

    fn find(&self, tensor: &str, expected: &[usize]) -> Result<&'a TensorInfo, ModelError> {
        let checkpoint = self.checkpoint;
        if !checkpoint.has(tensor) {
            return Err(ModelError::missing(self.name, tensor, self.family));
        }
        let info = checkpoint.require(tensor)?;
        if info.shape != expected {
            return Err(ModelError::TensorShape {
                model: self.name.to_owned(),
                tensor: tensor.to_owned(),
                found: info.shape.clone(),
                expected: expected.to_vec(),
            });
        }
        Ok(info)
    }

    fn loaded(&mut self, bytes: usize) {
        self.report.loaded_bytes += bytes as u64;
        (self.progress)(self.report);
    }

    /// A matrix `[rows, cols]` in its stored format.
    pub(crate) async fn matrix(&mut self, tensor: &str, rows: usize, cols: usize) -> Result<Weight, ModelError> {
        let info = self.find(tensor, &[rows, cols])?;
        self.rows(info, 0..rows, None).await
    }

    /// The matrix of a linear map, `[outputs, inputs]`, in its stored format.
    pub(crate) async fn map(&mut self, stored: &Stored<'_>) -> Result<Weight, ModelError> {
        let Stored { of_outputs, inputs, is_transposed, .. } = *stored;
        let shape = if is_transposed { [inputs, of_outputs] } else { [of_outputs, inputs] };
        let info = self.find(&weight_of(&stored.name), &shape)?;
        if is_transposed {
            self.transposed(info, stored).await
        } else {
            self.rows(info, stored.outputs.clone(), stored.order).await
        }
    }

    /// Some rows of a matrix, those of each head put in `order` if there is one.
    async fn rows(&mut self, info: &TensorInfo, range: Range<usize>, order: Option<&[usize]>) -> Result<Weight, ModelError> {
        let spec = WeightSpec { name: info.name.clone(), rows: range.len(), cols: info.row_len(), format: info.format };
        let row_bytes = spec.row_bytes().unwrap_or(0);
        let weight = self.executor.weight(spec)?;
        let (mut ordered, multiple) = (Vec::new(), order.map_or(1, <[usize]>::len));
        let checkpoint = self.checkpoint;
        checkpoint
            .stream_row_range(info, range, multiple, &mut |first_row, bytes: &[u8]| -> Result<(), ModelError> {
                match order {
                    Some(order) => {
                        reorder(bytes, row_bytes, order, &mut ordered);
                        self.executor.write_weight(&weight, first_row, &ordered)?;
                    }
                    None => self.executor.write_weight(&weight, first_row, bytes)?,
                }
                self.loaded(bytes.len());
                Ok(())
            })
            .await?;
        Ok(weight)
    }

    /// A map whose matrix is stored as `[inputs, outputs]`, which is held whole while it is turned.
    async fn transposed(&mut self, info: &TensorInfo, stored: &Stored<'_>) -> Result<Weight, ModelError> {
        let Stored { outputs, inputs, .. } = stored;
        let Some(size) = info.format.bytes_of(1).filter(|size| *size > 0) else {
            return Err(ModelError::Config {
                model: self.name.to_owned(),
                key: info.name.clone(),
                found: info.format.to_string(),
                expected: "F32, F16 or BF16, as it is stored by columns".to_owned(),
            });
        };
        let mut turned = vec![0; outputs.len() * inputs * size];
        let checkpoint = self.checkpoint;
        checkpoint
            .stream_rows(info, 1, &mut |first_row, bytes: &[u8]| -> Result<(), ModelError> {
                for (i, row) in bytes.chunks_exact((stored.of_outputs * size).max(1)).enumerate() {
                    let mine = row.chunks_exact(size).skip(outputs.start).take(outputs.len());
                    let column = turned.chunks_exact_mut(size).skip(first_row + i).step_by(*inputs);
                    column.zip(mine).for_each(|(to, from)| to.copy_from_slice(from));
                }
                Ok(())
            })
            .await?;
        let spec = WeightSpec { name: info.name.clone(), rows: outputs.len(), cols: *inputs, format: info.format };
        let weight = self.executor.weight(spec)?;
        self.executor.write_weight(&weight, 0, &turned)?;
        self.loaded(turned.len());
        Ok(weight)
    }

    /// A convolution's kernel `[outputs, channels, height, width]` in its stored format, as the matrix `[outputs, channels *
    /// height * width]` by which an unfolded patch is multiplied.
    pub(crate) async fn kernel(&mut self, tensor: &str, shape: [usize; 4]) -> Result<Weight, ModelError> {
        let info = self.find(tensor, &shape)?;
        let [rows, channels, height, width] = shape;
        let spec = WeightSpec { name: tensor.to_owned(), rows, cols: channels * height * width, format: info.format };
        // Its stored rows are as short as the kernel is wide: so many make one of the matrix.
        let stored_rows = channels * height;
        let weight = self.executor.weight(spec)?;
        let checkpoint = self.checkpoint;
        checkpoint
            .stream_rows(info, stored_rows, &mut |first_row, bytes: &[u8]| -> Result<(), ModelError> {
                self.executor.write_weight(&weight, first_row / stored_rows, bytes)?;
                self.loaded(bytes.len());
                Ok(())
            })
            .await?;
        Ok(weight)
    }

    /// The values of a tensor of that shape, which is small.
    pub(crate) async fn values(&mut self, tensor: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let info = self.find(tensor, shape)?;
        let bytes = self.checkpoint.read(info).await?;
        let mut values = vec![0.0; shape.iter().product()];
        tensor::decode(info.format, &bytes, &mut values)
            .map_err(|source| ModelError::Decode { tensor: tensor.to_owned(), source })?;
        self.loaded(bytes.len());
        Ok(values)
    }

    /// A one-dimensional tensor as f32: these are small, and norms and biases are computed in f32.
    pub(crate) async fn vector(&mut self, tensor: &str, len: usize) -> Result<Buffer, ModelError> {
        let values = self.values(tensor, &[len]).await?;
        self.upload(&values, "a norm or bias")
    }

    /// The bias of a linear map, whose outputs are stored as those of its matrix.
    pub(crate) async fn bias(&mut self, stored: &Stored<'_>) -> Result<Buffer, ModelError> {
        let values = self.values(&bias_of(&stored.name), &[stored.of_outputs]).await?;
        let mine = values.get(stored.outputs.clone()).unwrap_or_default();
        match stored.order {
            None => self.upload(mine, "a norm or bias"),
            Some(order) => {
                let mut ordered = Vec::new();
                reorder(bytemuck::cast_slice(mine), size_of::<f32>(), order, &mut ordered);
                let ordered: Vec<f32> = bytemuck::pod_collect_to_vec(&ordered);
                self.upload(&ordered, "a norm or bias")
            }
        }
    }

    /// A buffer that holds these values.
    pub(crate) fn upload(&mut self, values: &[f32], purpose: &'static str) -> Result<Buffer, ModelError> {
        let buffer = self.executor.buffer(values.len(), purpose)?;
        self.executor.write(&buffer, 0, bytemuck::cast_slice(values))?;
        Ok(buffer)
    }

    async fn rope_divisors(&mut self, names: &Names, half: usize) -> Result<Option<Vec<f32>>, ModelError> {
        let Some(tensor) = names.rope_divisors.filter(|tensor| self.checkpoint.tensor(tensor).is_some()) else {
            return Ok(None);
        };
        let divisors = self.values(tensor, &[half]).await?;
        match divisors.iter().find(|divisor| !(divisor.is_finite() && **divisor > 0.0)) {
            None => Ok(Some(divisors)),
            Some(found) => Err(ModelError::Config {
                model: self.name.to_owned(),
                key: tensor.to_owned(),
                found: found.to_string(),
                expected: "positive numbers".to_owned(),
            }),
        }
    }
}
