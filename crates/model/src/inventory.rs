//! Which tensors of a checkpoint make up the model, and which are left over.

use crate::block::Block;
use crate::family::{BlockNames, Family, Names};
use crate::parts::{Linear, Norm, weight_of};
use crate::{Bias, ModelConfig, ModelError, NormKind};
use std::collections::HashSet;
use std::fmt;
use weights::{Checkpoint, Config};

/// What of a checkpoint is computed with, known before anything of it is loaded: nothing that belongs to the computation is left
/// out in silence.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// The dimensions of the model.
    pub config: ModelConfig,
    /// Its architecture family.
    pub family: &'static Family,
    /// Names of the tensors that are no part of what is computed, such as buffers and another tower's, in alphabetical order.
    pub unused_tensors: Vec<String>,
    /// Files of weights that lie beside the model's own.
    pub other_files: Vec<String>,
}

/// What ends the names of tensors within a layer that hold nothing that is learned: tables that older programs stored and that
/// everybody computes.
const LEFTOVERS: [&str; 9] = [
    "rotary_emb.inv_freq",
    "rotary_emb.cos_cached",
    "rotary_emb.sin_cached",
    "attn_rot_embd.weight",
    "attn_rot_embd",
    "masked_bias",
    // A mask of GPT-2, not a bias.
    ".attn.bias",
    "causal_mask",
    "position_ids",
];
/// So many names are written out for people.
const MOST_LISTED: usize = 3;

impl Inventory {
    /// Compares a checkpoint's tensors with what its family computes with.
    ///
    /// # Errors
    /// As [`ModelConfig::read`]; when a tensor that is needed is missing or cannot be read; and when one that belongs to what is
    /// computed has no place in it.
    pub fn of(checkpoint: &Checkpoint) -> Result<Inventory, ModelError> {
        let (config, family) = ModelConfig::read(checkpoint.name(), checkpoint.config())?;
        let names = family.stored_names(checkpoint);
        let needed = needed(&config, family, names, checkpoint);
        // What is wrong with a tensor tells more than that another, of a quantised kind perhaps, is not there.
        for name in needed.iter().filter(|name| checkpoint.has(name)) {
            checkpoint.require(name)?;
        }
        check_quantisation(checkpoint)?;
        if let Some(tensor) = needed.iter().find(|name| !checkpoint.has(name)) {
            return Err(ModelError::missing(checkpoint.name(), tensor, family));
        }
        let needed: HashSet<String> = needed.into_iter().collect();
        let scopes = scopes(&config, family, names);
        let unread = checkpoint.unread_tensors().map(|other| (&other.name, other.is_empty()));
        let all = checkpoint.tensors().map(|info| (&info.name, false)).chain(unread);
        let mut unused_tensors = Vec::new();
        for (name, is_empty) in all.filter(|(name, _)| !needed.contains(*name)) {
            let is_computed = scopes.iter().any(|scope| name.starts_with(scope));
            if is_computed && !is_empty && !LEFTOVERS.iter().any(|leftover| name.ends_with(leftover)) {
                let (model, tensor) = (checkpoint.name().to_owned(), name.clone());
                return Err(ModelError::UnusedTensor {
                    model,
                    hint: hint(name, checkpoint.config()),
                    tensor,
                    family: family.name,
                });
            }
            unused_tensors.push(name.clone());
        }
        unused_tensors.sort_unstable();
        Ok(Inventory { config, family, unused_tensors, other_files: checkpoint.other_files().to_vec() })
    }
}

/// What is left over, in a sentence; nothing where nothing is.
impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tensors, files) = (&self.unused_tensors, &self.other_files);
        let is = |names: &[String]| if names.len() == 1 { "is" } else { "are" };
        if !tensors.is_empty() {
            let plural = if tensors.len() == 1 { "tensor" } else { "tensors" };
            write!(f, "{} {plural} of the file {} not used: {}", tensors.len(), is(tensors), listed(tensors))?;
        }
        if !files.is_empty() {
            let gap = if tensors.is_empty() { "" } else { "; " };
            write!(f, "{gap}{} beside the model {} left alone", listed(files), is(files))?;
        }
        Ok(())
    }
}

fn listed(names: &[String]) -> String {
    let first: Vec<&str> = names.iter().take(MOST_LISTED).map(String::as_str).collect();
    match names.len().saturating_sub(MOST_LISTED) {
        0 => first.join(", "),
        others => format!("{} and {others} more", first.join(", ")),
    }
}

/// The tensors that the model is made of, from the embedding to the head.
fn needed(config: &ModelConfig, family: &Family, names: &Names, checkpoint: &Checkpoint) -> Vec<String> {
    let form = config.block_form(family, checkpoint.config());
    let mut needed = vec![weight_of(names.embedding)];
    needed.extend(names.positions.map(str::to_owned));
    needed.extend((0..config.n_layers).flat_map(|layer| Block::tensors(&names.block, layer, &form, checkpoint)));
    needed.extend(Norm::tensors(names.final_norm, form.norm.kind));
    let lm_head = weight_of(names.lm_head);
    if checkpoint.has(&lm_head) || !config.tied_embedding {
        needed.push(lm_head);
    }
    needed.extend(names.rope_divisors.filter(|name| checkpoint.has(name)).map(str::to_owned));
    if let (Some(vision), Some(names)) = (&config.vision, &family.vision) {
        let form = vision.block_form();
        needed.extend(Linear::tensors(names.patch, Bias::All, checkpoint));
        needed.push(names.positions.to_owned());
        needed.extend((0..vision.n_layers).flat_map(|layer| Block::tensors(&names.block, layer, &form, checkpoint)));
        needed.extend(Norm::tensors(names.final_norm, NormKind::Layer));
        needed.push(names.projection.to_owned());
    }
    needed
}

/// How the names of all tensors begin that belong to what is computed.
fn scopes(config: &ModelConfig, family: &Family, names: &Names) -> Vec<String> {
    let of_layers =
        |names: &BlockNames, n_layers: usize| -> Vec<String> { (0..n_layers).map(|layer| names.scope(layer)).collect() };
    let mut scopes = of_layers(&names.block, config.n_layers);
    scopes.extend(names.computed.iter().map(|scope| (*scope).to_owned()));
    if let (Some(vision), Some(names)) = (&config.vision, &family.vision) {
        scopes.extend(of_layers(&names.block, vision.n_layers));
        scopes.extend(names.computed.iter().map(|scope| (*scope).to_owned()));
    }
    scopes
}

/// What a person may do about a tensor without a place.
fn hint(tensor: &str, config: &Config) -> &'static str {
    match config {
        Config::HuggingFace(_) if tensor.ends_with("_proj.bias") && tensor.contains("attn") => {
            "; where it belongs to the model, config.json says so by \"attention_bias\": true"
        }
        Config::HuggingFace(_) if tensor.ends_with("_proj.bias") => {
            "; where it belongs to the model, config.json says so by \"mlp_bias\": true"
        }
        _ => "",
    }
}

/// Weights that are to be quantised while they are loaded, or that are stored in another library's way.
fn check_quantisation(checkpoint: &Checkpoint) -> Result<(), ModelError> {
    let Config::HuggingFace(json) = checkpoint.config() else { return Ok(()) };
    let stated = &json["quantization_config"];
    if stated.is_null() {
        return Ok(());
    }
    Err(ModelError::Config {
        model: checkpoint.name().to_owned(),
        key: "quantization_config".to_owned(),
        found: stated["quant_method"].as_str().map_or_else(|| stated.to_string(), str::to_owned),
        expected: "none: weights in F32, F16 or BF16, or a GGUF file".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_over_is_said_in_a_sentence() {
        let config = serde_json::json!({
            "model_type": "llama", "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 8,
            "vocab_size": 4
        });
        let (config, family) = ModelConfig::read("m", &Config::HuggingFace(config)).unwrap();
        let said = |tensors: &[&str], files: &[&str]| {
            let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let config = config.clone();
            Inventory { config, family, unused_tensors: owned(tensors), other_files: owned(files) }.to_string()
        };
        assert_eq!(said(&[], &[]), "");
        assert_eq!(said(&["v_head.weight"], &[]), "1 tensor of the file is not used: v_head.weight");
        assert_eq!(
            said(&["a", "b", "c", "d", "e"], &["adapter_model.safetensors"]),
            "5 tensors of the file are not used: a, b, c and 2 more; adapter_model.safetensors beside the model is left alone"
        );
    }
}
