//! Having the model write.

use super::engine::{Engine, UnderWay};
use super::explain::is_device_lost;
use super::question::{Asked, prompt};
use super::turn::turn;
use crate::messages::{Event, Generate, Generated, Steering, Target, WritingEnd};
use anyhow::{Context, Result, bail};
use atman::{AtmanError, Suppression};
use kernels::Operator;
use model::{Generation, KeyFactors, Model};
use web_time::Instant;

/// A text being written.
pub(super) struct Writing {
    ids: Vec<u32>,
    text: String,
    started: Instant,
}

impl Writing {
    fn done(&self, end: WritingEnd) -> Generated {
        let target = Target { text: self.text.clone(), ids: Some(self.ids.clone()) };
        Generated { target, end, seconds: self.started.elapsed().as_secs_f64() }
    }

    /// What has been written when the person stopped it.
    pub(super) fn stopped(&self) -> Generated {
        self.done(WritingEnd::Stopped)
    }
}

impl Engine {
    /// Writes until the model ends its text or the limit is reached; sent token by token.
    pub(super) async fn generate(&mut self, asked: Generate, post: &dyn Fn(Event)) -> Result<Event> {
        self.writing = Some(Writing { ids: Vec::new(), text: String::new(), started: Instant::now() });
        let mut rebuilt = false;
        loop {
            match self.write(&asked, post).await {
                // The same seed writes the same text again.
                Err(error) if is_device_lost(&error) && !rebuilt => {
                    rebuilt = true;
                    self.rebuild(post).await?;
                }
                other => return other,
            }
        }
    }

    async fn write(&mut self, asked: &Generate, post: &dyn Fn(Event)) -> Result<Event> {
        self.replace(post).await?;
        self.under_way = UnderWay::Writing;
        let Self { loaded, device, writing, pictures, .. } = self;
        let loaded = loaded.as_ref().context("no model is loaded: choose one first")?;
        let device = device.as_mut().context("no device has been chosen")?;
        let tokenizer = loaded.opened.checkpoint.tokenizer()?;
        let Asked { text: prompt, images: seen, .. } = prompt(&asked.prompt, loaded, pictures, device.executor()).await?;
        if prompt.tokens.is_empty() {
            return Err(AtmanError::Empty { what: "prompt", advice: "write something into it first" }.into());
        }
        let input = atman::prompt_input(&prompt, &seen, &loaded.model)?;
        let factors = asked.steering.as_ref().map(|steering| key_factors(steering, input.len(), &loaded.model)).transpose()?;
        let (model, executor) = (&loaded.model, device.executor());
        let mut generation = Generation::start_mixed(model, executor, &input, asked.max_tokens, asked.sampling, factors).await?;
        let mut stream = tokenizer.stream();
        let (mut written_ids, mut written) = (Vec::new(), String::new());
        let end = loop {
            if written_ids.len() >= asked.max_tokens {
                break WritingEnd::TokenLimit;
            }
            turn().await;
            let Some(score) = generation.next(model, executor).await? else { break WritingEnd::ContextFull };
            if tokenizer.end_ids().contains(&score.token) {
                break WritingEnd::OfText;
            }
            written_ids.push(score.token);
            written.push_str(&stream.push(score.token));
            note(writing, &written_ids, &written, post);
        };
        written.push_str(&stream.finish());
        note(writing, &written_ids, &written, post);
        let Some(writing) = writing else { bail!("nothing was being written") };
        Ok(Event::Generated(writing.done(end)))
    }
}

/// Takes in what has been written, and tells what is new in it.
fn note(writing: &mut Option<Writing>, ids: &[u32], text: &str, post: &dyn Fn(Event)) {
    let Some(writing) = writing.as_mut().filter(|writing| ids.len() >= writing.ids.len()) else { return };
    let new = text.strip_prefix(writing.text.as_str()).unwrap_or_default();
    if !new.is_empty() {
        post(Event::Token { text: new.to_owned() });
    }
    writing.ids = ids.to_vec();
    writing.text = text.to_owned();
}

fn key_factors(steering: &Steering, n_prompt: usize, model: &Model) -> Result<KeyFactors> {
    if steering.operator == Operator::ShiftedFull {
        bail!("operator shifted-full looks at words that are yet to be written; choose another to write with");
    }
    let n_layers = model.config().n_layers;
    let suppression = Suppression { operator: steering.operator, layers: steering.layers, ..Suppression::default() };
    suppression.check(n_layers)?;
    let mut factors = vec![1.0; n_prompt];
    for (position, factor) in &steering.factors {
        match factors.get_mut(*position) {
            Some(slot) => *slot = *factor,
            None => bail!("position {position} is to be changed, but the prompt has {n_prompt} tokens: explain it again"),
        }
    }
    Ok(KeyFactors { factors, operator: steering.operator, layers: suppression.layers_of(n_layers) })
}
