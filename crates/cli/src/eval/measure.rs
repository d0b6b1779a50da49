//! One example, scored by one method after another.

use super::about_image::{AboutImage, Asked};
use super::about_text::AboutText;
use super::data::{About, Example, Selection};
use super::greying;
use super::method::Method;
use super::part::Part;
use super::right;
use crate::engine::Engine;
use crate::interrupt::Interrupt;
use crate::made_by::MadeBy;
use anyhow::{Context, Result, bail};
use atman::metrics::{Group, average_precision_of_groups, mean, pointing_game, soft_precision_recall_of_groups, sum_of_squares};
use atman::{Budget, Granularity, ImageGranularity, Job, Question, Runs, Score, Similarities, Suppression, sum, units};
use images::{ImageProcessor, Picture};
use model::{Generation, Sampling};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// Random orders that the random method is the mean of.
const RANDOM_ORDERS: u64 = 1000;
/// How many tokens more than the answer's a model may take for it: of a picture it may write the same text in smaller pieces, of
/// a text say a whole sentence.
const MORE_TOKENS_ABOUT_IMAGE: usize = 8;
const MORE_TOKENS_ABOUT_TEXT: usize = 24;

/// How well a method finds an example's answer. What could not be computed is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// [`Example::sha256`].
    pub(crate) key: String,
    pub(crate) method: String,
    pub(crate) made_by: MadeBy,
    /// Of the answer's tokens among the context's, or of the mask's pixels among the picture's, by falling score.
    pub(crate) average_precision: Option<f64>,
    pub(crate) soft_precision: Option<f64>,
    pub(crate) soft_recall: Option<f64>,
    /// Precision and recall as the AtMan authors' code has them: of squared scores.
    pub(crate) atman_precision: Option<f64>,
    pub(crate) atman_recall: Option<f64>,
    /// Of a picture: whether the strongest patch lies on the mask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pointing_game: Option<f64>,
    /// What the model says itself.
    pub(crate) said: String,
    /// Whether that is the answer.
    pub(crate) right: bool,
    /// Rows computed for this method alone, those of its baseline included.
    pub(crate) rows: u64,
    /// What this method alone took, its baseline and seeing the picture included.
    pub(crate) seconds: f64,
}

impl Measured {
    pub(crate) fn key(&self) -> (String, String) {
        (self.key.clone(), self.method.clone())
    }
}

/// An example under way. Methods share nothing that is computed, so that each costs what it costs alone.
pub(crate) struct Measuring {
    question: Question,
    /// What is scored: the tokens of the context, or the patches of the picture.
    parts: Vec<Part>,
    picture: Option<Seen>,
    said: String,
    right: bool,
    budget: Budget,
}

/// The picture that an example is about.
struct Seen {
    picture: Picture,
    processor: ImageProcessor,
    /// What seeing it took.
    seconds: f64,
}

/// A score for each part.
struct Scores {
    /// The sum over the answer's tokens.
    sums: Vec<f32>,
    /// The sum of the squares.
    squares: Vec<f32>,
}

impl Scores {
    /// Of what does not look at the answer's tokens.
    fn plain(sums: Vec<f32>) -> Self {
        Self { squares: sums.iter().map(|score| score * score).collect(), sums }
    }

    /// From the relevance of each part for each of the answer's tokens.
    fn of_rows(rows: &[atman::Row]) -> Result<Self> {
        let all = |score: &dyn Fn(&atman::Row) -> Option<f32>| -> Result<Vec<f32>> {
            rows.iter().map(|row| score(row).context("a part of the question stands after its answer")).collect()
        };
        Ok(Self { sums: all(&|row| sum(row, 0..row.len()))?, squares: all(&|row| sum_of_squares(row))? })
    }
}

/// What a method says, and what computing it took.
struct Scored {
    /// One, or several orders that count by their mean.
    scores: Vec<Scores>,
    rows: u64,
    seconds: f64,
}

impl Measuring {
    /// Asks the question, and has the model answer it.
    pub(crate) async fn begin(example: &Example, selection: &Selection, engine: &mut Engine<'_>, budget: Budget) -> Result<Self> {
        match (&example.about, &selection.processor) {
            (About::Image(about), Some(processor)) => {
                let started = Instant::now();
                let asked = about.ask(processor, engine).await.with_context(|| example.id.clone())?;
                Self::of_image(about, asked, started.elapsed().as_secs_f64(), engine, budget).await
            }
            (About::Image(_), None) => bail!("{} asks about a picture, which the model does not see", example.id),
            (About::Text(about), _) => Self::of_text(about, engine, budget).await,
        }
    }

    async fn of_text(about: &AboutText, engine: &mut Engine<'_>, budget: Budget) -> Result<Self> {
        let question = about.question.clone();
        let sets = about.context.iter().map(|position| vec![*position]).collect();
        let (units, _) = units(&question, &Granularity::Given(sets), ImageGranularity::Patch)?;
        let parts = units.into_iter().zip(&about.is_answer).map(|(unit, is_answer)| Part::token(unit, *is_answer)).collect();
        let said = answer(&question, MORE_TOKENS_ABOUT_TEXT, engine).await?;
        let right = right::is_said(&said, &about.answer);
        Ok(Self { question, parts, picture: None, said, right, budget })
    }

    async fn of_image(about: &AboutImage, asked: Asked, seconds: f64, engine: &mut Engine<'_>, budget: Budget) -> Result<Self> {
        let Asked { question, picture, mask, processor } = asked;
        // How the text is divided is all the same: it is not measured.
        let (units, _) = units(&question, &Granularity::Paragraph, ImageGranularity::Patch)?;
        let parts = units.into_iter().filter_map(|unit| Part::patch(unit, &mask)).collect();
        let said = answer(&question, MORE_TOKENS_ABOUT_IMAGE, engine).await?;
        let right = right::is_same(&said, about.answer());
        Ok(Self { question, parts, picture: Some(Seen { picture, processor, seconds }), said, right, budget })
    }

    /// Whether the model gives the answer of the data.
    pub(crate) fn is_right(&self) -> bool {
        self.right
    }

    /// Scores the parts; nothing if it was stopped.
    pub(crate) async fn measure(
        &self,
        method: &Method,
        engine: &mut Engine<'_>,
        interrupt: &Interrupt,
    ) -> Result<Option<Measured>> {
        let n = self.parts.len();
        // What looks at no model costs nothing that is worth counting.
        let free =
            |orders: Vec<Vec<f32>>| Scored { scores: orders.into_iter().map(Scores::plain).collect(), rows: 0, seconds: 0.0 };
        let scored = match method {
            Method::Random => free((0..RANDOM_ORDERS).map(|seed| random(seed, n)).collect()),
            Method::Position => free(vec![(0..n).map(|i| (n - i) as f32 / n as f32).collect()]),
            Method::CentreBlob => free(vec![self.parts.iter().map(|part| part.blob).collect()]),
            Method::LeaveOneOut | Method::Atman(_) => {
                let started = Instant::now();
                let mut runs = Runs::new(self.question.input().clone(), self.question.wanted(), self.budget);
                runs.begin(&engine.model, engine.executor.as_mut()).await?;
                let found = match method {
                    Method::Atman(suppression) => self.suppress(suppression, &mut runs, engine, interrupt).await?,
                    _ => self.leave_one_out(&mut runs, engine, interrupt).await?,
                };
                let Some((scores, rows)) = found else { return Ok(None) };
                let seeing = self.picture.as_ref().map_or(0.0, |seen| seen.seconds);
                let rows = rows + self.question.input().len() as u64;
                Scored { scores: vec![scores], rows, seconds: started.elapsed().as_secs_f64() + seeing }
            }
        };
        Ok(Some(self.measured(&scored)))
    }

    /// Means over several scores.
    fn measured(&self, scored: &Scored) -> Measured {
        let groups =
            |scores: &[f32]| -> Vec<Group> { self.parts.iter().zip(scores).map(|(part, score)| part.group(*score)).collect() };
        let mean_of =
            |figure: &dyn Fn(&Scores) -> Option<f64>| mean(&scored.scores.iter().filter_map(figure).collect::<Vec<f64>>());
        let soft = |scores: &Scores| soft_precision_recall_of_groups(&groups(&scores.sums));
        let atman = |scores: &Scores| soft_precision_recall_of_groups(&groups(&scores.squares));
        // A patch of less than a pixel is no place to point at.
        let seen: Vec<usize> = (0..).zip(&self.parts).filter(|(_, part)| part.count > 0).map(|(i, _)| i).collect();
        let hits: Vec<bool> = seen.iter().filter_map(|i| self.parts.get(*i)).map(|part| part.is_hit).collect();
        let pointed = |scores: &Scores| {
            let scores: Vec<f32> = seen.iter().filter_map(|i| scores.sums.get(*i).copied()).collect();
            self.picture.as_ref().and_then(|_| pointing_game(&scores, &hits))
        };
        Measured {
            average_precision: mean_of(&|scores| average_precision_of_groups(&groups(&scores.sums))),
            soft_precision: mean_of(&|scores| Some(soft(scores)?.0)),
            soft_recall: mean_of(&|scores| Some(soft(scores)?.1)),
            atman_precision: mean_of(&|scores| Some(atman(scores)?.0)),
            atman_recall: mean_of(&|scores| Some(atman(scores)?.1)),
            pointing_game: mean_of(&pointed),
            said: self.said.clone(),
            right: self.right,
            rows: scored.rows,
            seconds: scored.seconds,
            ..Measured::default()
        }
    }

    /// Tokens are taken out of the prompt; patches are made grey. With the rows that this took.
    async fn leave_one_out(
        &self,
        runs: &mut Runs,
        engine: &mut Engine<'_>,
        interrupt: &Interrupt,
    ) -> Result<Option<(Scores, u64)>> {
        if let Some(Seen { picture, processor, .. }) = &self.picture {
            let log_prob = |scores: &Option<Vec<atman::TokenScore>>| Some(scores.as_ref()?.first()?.log_prob);
            let baseline: Vec<f32> = runs.baseline().into_iter().flatten().filter_map(log_prob).collect();
            let seen = (picture, processor);
            let found = greying::without_each(&self.parts, &self.question, seen, &baseline, engine, interrupt).await?;
            return found.map(|(rows, n_rows)| Ok((Scores::of_rows(&rows)?, n_rows))).transpose();
        }
        let first = self.question.row_of(0);
        let jobs = self.parts.iter().map(|part| Job::without(&part.unit.positions, first)).collect();
        run(jobs, runs, engine, interrupt).await
    }

    /// Attention to each part is scaled. With the rows that this took.
    async fn suppress(
        &self,
        suppression: &Suppression,
        runs: &mut Runs,
        engine: &mut Engine<'_>,
        interrupt: &Interrupt,
    ) -> Result<Option<(Scores, u64)>> {
        let similarities = match suppression.threshold {
            Some(_) => Some(Similarities::of_input(&engine.model, engine.executor.as_mut(), self.question.input()).await?),
            None => None,
        };
        let job = |part: &Part| {
            let mut unit = part.unit.clone();
            if let Some(similarities) = &similarities {
                suppression.find_neighbours(&mut unit, similarities);
            }
            suppression.job(&unit, engine.model.config().n_layers)
        };
        let jobs = self.parts.iter().map(job).collect();
        run(jobs, runs, engine, interrupt).await
    }
}

/// Runs a job for each part, and returns the parts' scores with the rows that were computed; nothing if it was stopped.
async fn run(jobs: Vec<Job>, runs: &mut Runs, engine: &mut Engine<'_>, interrupt: &Interrupt) -> Result<Option<(Scores, u64)>> {
    let numbers = runs.add(&engine.model, jobs)?;
    while runs.step(&engine.model, engine.executor.as_mut()).await?.is_some() {
        if interrupt.is_asked() {
            return Ok(None);
        }
    }
    let row = |number: usize| runs.relevance(number, Score::CrossEntropy).context("a run was not carried out");
    let rows: Vec<atman::Row> = numbers.map(row).collect::<Result<_>>()?;
    Ok(Some((Scores::of_rows(&rows)?, runs.spent().rows)))
}

/// What the model answers, always taking the likeliest token, until it ends its text or has written more than the answer.
async fn answer(question: &Question, more_tokens: usize, engine: &mut Engine<'_>) -> Result<String> {
    let (model, executor) = (&engine.model, engine.executor.as_mut());
    let tokenizer = engine.opened.checkpoint.tokenizer()?;
    let most = question.n_target() + more_tokens;
    let prompt = question.prompt_input(model)?;
    let mut generation = Generation::start_mixed(model, executor, &prompt, most, Sampling::default(), None).await?;
    let mut stream = tokenizer.stream();
    let mut text = String::new();
    for _ in 0..most {
        let Some(score) = generation.next(model, executor).await? else { break };
        if tokenizer.end_ids().contains(&score.token) {
            break;
        }
        text.push_str(&stream.push(score.token));
    }
    text.push_str(&stream.finish());
    Ok(text)
}

fn random(seed: u64, n: usize) -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| random.next_u32() as f32 / u32::MAX as f32).collect()
}
