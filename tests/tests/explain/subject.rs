//! A model, and questions to it.

use crate::common;
use atman::{AtmanError, Budget, Explainer, Explanation, Granularity, Question, Settings, Suppression, Text};
use kernels::Executor;
use kernels::cpu::CpuExecutor;
use model::Model;
use weights::{Checkpoint, Tokenizer};

pub(crate) const ITALY: &str = "The capital of France is Paris. The capital of Italy is";

/// The real model on the CPU.
pub(crate) struct Subject {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) model: Model,
    pub(crate) executor: CpuExecutor,
}

impl Subject {
    pub(crate) fn new() -> Self {
        let (executor, model) = common::cpu();
        Self { checkpoint: common::checkpoint(), model, executor }
    }

    pub(crate) fn tokenizer(&self) -> &Tokenizer {
        self.checkpoint.tokenizer().unwrap()
    }

    pub(crate) fn text(&self, text: &str) -> Text {
        let whole = 0..text.len();
        Text::encode(self.tokenizer(), text, true, std::slice::from_ref(&whole)).unwrap()
    }

    pub(crate) fn question(&self, prompt: &str, target: &str) -> Result<Question, AtmanError> {
        Question::new(self.text(prompt), self.text(target), Vec::new(), self.model.config())
    }

    /// Runs an explanation to its end.
    pub(crate) fn explain(&mut self, prompt: &str, target: &str, settings: Settings, alternatives: &[&str]) -> Explanation {
        let question = self.question(prompt, target).unwrap();
        let alternatives = alternatives.iter().map(|text| self.text(text)).collect();
        let mut explainer = Explainer::new(question, settings, alternatives, Budget::default(), &self.model).unwrap();
        run(&mut explainer, &self.model, &mut self.executor).unwrap();
        explainer.explanation()
    }
}

/// Settings of a granularity.
pub(crate) fn settings(granularity: Granularity) -> Settings {
    Settings { granularity, ..Settings::default() }
}

/// Settings of a suppression, token by token.
pub(crate) fn suppressing(suppression: Suppression) -> Settings {
    Settings { suppression, ..settings(Granularity::Token) }
}

/// Begins and steps until all is done.
pub(crate) fn run(explainer: &mut Explainer, model: &Model, executor: &mut dyn Executor) -> Result<(), AtmanError> {
    pollster::block_on(async {
        explainer.begin(model, executor).await?;
        while explainer.step(model, executor).await? {}
        Ok(())
    })
}

/// Greatest difference of two matrices of the same shape.
pub(crate) fn difference(a: &Explanation, b: &Explanation) -> f32 {
    assert_eq!(a.relevance.len(), b.relevance.len());
    let rows = a.relevance.iter().zip(&b.relevance);
    rows.map(|(a, b)| row_difference(a.as_ref().unwrap(), b.as_ref().unwrap())).fold(0.0, f32::max)
}

fn row_difference(a: &[Option<f32>], b: &[Option<f32>]) -> f32 {
    assert_eq!(a.len(), b.len());
    let pair = |(a, b): (&Option<f32>, &Option<f32>)| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs(),
        (None, None) => 0.0,
        _ => f32::INFINITY,
    };
    a.iter().zip(b).map(pair).fold(0.0, f32::max)
}
