//! Explanations, chunk by chunk, sent as they grow.

use super::engine::{Engine, Ready, UnderWay};
use super::failure::exec_error;
use super::question::{Understood, question};
use super::turn::turn;
use crate::messages::{Ask, Event, Planned, Rows, Started};
use anyhow::{Context, Result, ensure};
use atman::{Budget, Expected, Explainer, FaithfulnessSettings};
use kernels::ExecError;
use report::{Document, ModelInfo};

/// How often a lost device is opened again before giving up.
const REBUILDS: usize = 3;

/// An explanation, and how much of it the page has been told.
pub(super) struct Explaining {
    /// The number of the request that began it.
    of: u32,
    /// Whether its answer was typed without the space that it comes after.
    is_set_apart: bool,
    /// The model that it is of.
    model: ModelInfo,
    /// The device that it was made on last.
    device: String,
    explainer: Explainer,
    /// Whether each unit's relevance has been sent.
    sent: Vec<bool>,
}

impl Explaining {
    /// Gives back what it holds on the device. It can go on all the same.
    pub(super) fn end(&mut self) {
        self.explainer.end();
    }

    /// What is new since the last call.
    fn news(&mut self, expected: &Expected) -> Rows {
        let n_units = self.explainer.units().len();
        let units = (n_units != self.sent.len()).then(|| self.explainer.units().to_vec());
        self.sent.resize(n_units, false);
        let mut rows = Vec::new();
        for (unit, sent) in self.sent.iter_mut().enumerate().filter(|(_, sent)| !**sent) {
            if let Some(row) = self.explainer.row(unit) {
                rows.push((unit, row));
                *sent = true;
            }
        }
        let spent = self.explainer.spent();
        Rows {
            units,
            rows,
            noise_floor: self.explainer.noise_floor(),
            done_rows: spent.rows,
            total_rows: spent.rows.saturating_add(expected.rows),
            seconds_left: expected.seconds,
        }
    }
}

impl Engine {
    /// Explains from the beginning. The explanation before stays the last one until this one has begun.
    pub(super) async fn explain(&mut self, id: u32, ask: Ask, post: &dyn Fn(Event)) -> Result<Event> {
        let mut rebuilds = 0;
        let explaining = loop {
            match self.begin(id, &ask, post).await {
                Err(error) if is_device_lost(&error) && rebuilds < REBUILDS => {
                    rebuilds += 1;
                    self.rebuild(post).await?;
                }
                other => break other?,
            }
        };
        self.explaining = Some(explaining);
        self.run_to_end(false, post).await
    }

    async fn begin(&mut self, id: u32, ask: &Ask, post: &dyn Fn(Event)) -> Result<Explaining> {
        self.replace(post).await?;
        if let Some(before) = &mut self.explaining {
            before.end();
        }
        let Ready { loaded, device, pictures } = self.ready()?;
        let understood = question(ask, loaded, pictures, device.executor()).await?;
        let Understood { question, alternatives, is_set_apart } = understood;
        let mut explainer = Explainer::new(question, ask.settings.clone(), alternatives, Budget::default(), &loaded.model)?;
        explainer.begin(&loaded.model, device.executor()).await?;
        let model = ModelInfo {
            name: loaded.opened.name.clone(),
            sha256: Some(loaded.opened.sha256.clone()),
            formats: loaded.model.formats().iter().map(ToString::to_string).collect(),
        };
        let device = device.executor().describe();
        Ok(Explaining { of: id, is_set_apart, model, device, explainer, sent: Vec::new() })
    }

    /// Measures the faithfulness of the last explanation for a span of target tokens, all if not given.
    pub(super) async fn measure(&mut self, of: u32, span: Option<[usize; 2]>, post: &dyn Fn(Event)) -> Result<Event> {
        self.explanation(of)?.explainer.measure(FaithfulnessSettings::default(), span)?;
        self.go_on(of, post).await
    }

    /// Runs what is left of the last explanation; a lost device is opened again.
    pub(super) async fn go_on(&mut self, of: u32, post: &dyn Fn(Event)) -> Result<Event> {
        self.explanation(of)?;
        self.run_to_end(true, post).await
    }

    /// The last explanation, if it is the one meant and its model is still the one that is there.
    fn explanation(&mut self, of: u32) -> Result<&mut Explaining> {
        let here = self.model_sha256().context("no model is loaded: choose one first")?.to_owned();
        let explaining = self.explaining.as_mut().filter(|explaining| explaining.of == of);
        let explaining = explaining.context("this explanation is no longer held: explain it again")?;
        let ModelInfo { name, sha256, .. } = &explaining.model;
        ensure!(*sha256 == Some(here), "this explanation is of {name}, and another model is loaded: load {name} again");
        Ok(explaining)
    }

    async fn run_to_end(&mut self, begins_anew: bool, post: &dyn Fn(Event)) -> Result<Event> {
        let (mut rebuilds, mut begins_anew) = (0, begins_anew);
        loop {
            match self.run(begins_anew, post).await {
                Ok(()) => return self.explained(),
                Err(error) if is_device_lost(&error) && rebuilds < REBUILDS => {
                    (rebuilds, begins_anew) = (rebuilds + 1, true);
                    self.rebuild(post).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn run(&mut self, begins_anew: bool, post: &dyn Fn(Event)) -> Result<()> {
        self.replace(post).await?;
        #[cfg(feature = "parity")]
        let loses_device = &mut self.loses_device;
        let Self { loaded, device, explaining, speed, under_way, .. } = self;
        let loaded = loaded.as_ref().context("no model is loaded: choose one first")?;
        let device = device.as_mut().context("no device has been chosen")?;
        let explaining = explaining.as_mut().context("there is no explanation to go on with")?;
        let model = &loaded.model;
        explaining.device = device.executor().describe();
        if begins_anew {
            explaining.explainer.begin(model, device.executor()).await?;
        }
        let explanation = Box::new(explaining.explainer.explanation());
        explaining.sent = explanation.relevance.iter().map(Option::is_some).collect();
        *under_way = UnderWay::Explaining;
        post(Event::Started(Started {
            of: explaining.of,
            is_set_apart: explaining.is_set_apart,
            explanation,
            model: loaded.opened.name.clone(),
        }));
        loop {
            turn().await;
            #[cfg(feature = "parity")]
            if std::mem::take(loses_device) {
                let (device, reason) = ("the device".to_owned(), "a test asked for it".to_owned());
                return Err(ExecError::DeviceLost { device, reason }.into());
            }
            let has_more = explaining.explainer.step(model, device.executor()).await?;
            if let Some(flops_per_second) = explaining.explainer.flops_per_second() {
                speed.set(flops_per_second);
            }
            let expected = explaining.explainer.expected(model)?;
            post(Event::Rows(explaining.news(&expected)));
            if !has_more {
                return Ok(());
            }
        }
    }

    /// The explanation as far as it is.
    pub(super) fn explained(&self) -> Result<Event> {
        let Explaining { explainer, model, device, .. } = self.explaining.as_ref().context("there is no explanation")?;
        let document = Document::new(explainer.explanation(), model.clone(), device.clone(), None);
        Ok(Event::Explained(Box::new(document)))
    }

    /// What an explanation would take, or why there can be none.
    pub(super) async fn plan(&mut self, ask: &Ask, post: &dyn Fn(Event)) -> Planned {
        let planned = self.expect(ask, post).await;
        planned.unwrap_or_else(|error| Planned { problem: Some(format!("{error:#}")), ..Planned::default() })
    }

    async fn expect(&mut self, ask: &Ask, post: &dyn Fn(Event)) -> Result<Planned> {
        self.replace(post).await?;
        if let Self { loaded: Some(loaded), device: Some(device), speed, .. } = self
            && !speed.is_known()
        {
            speed.measure(&loaded.model, device.executor()).await?;
        }
        let speed = self.speed;
        let Ready { loaded, device, pictures } = self.ready()?;
        let understood = question(ask, loaded, pictures, device.executor()).await?;
        let Understood { question, alternatives, is_set_apart } = understood;
        let texts = question.prompt.tokens.iter().chain(&question.target.tokens);
        let tokens = texts.map(|token| token.text.clone()).collect();
        let mut explainer = Explainer::new(question, ask.settings.clone(), alternatives, Budget::default(), &loaded.model)?;
        explainer.prepare(&loaded.model, device.executor()).await?;
        let expected = explainer.expected(&loaded.model)?;
        Ok(Planned {
            problem: None,
            is_set_apart,
            units: explainer.units().to_vec(),
            tokens,
            rows: expected.rows,
            peak_bytes: expected.peak_bytes,
            seconds: speed.seconds(expected.flops.saturating_add(expected.baseline_flops)),
        })
    }
}

/// Whether making the device anew may help.
pub(super) fn is_device_lost(error: &anyhow::Error) -> bool {
    matches!(exec_error(error), Some(ExecError::DeviceLost { .. }))
}
