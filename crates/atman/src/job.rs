//! One changed run of a question: what is different from the baseline, and from which position on.

use kernels::Operator;
use model::{BatchShape, Estimate, Input, KeyFactors, Mixed, Model, ModelError, Sequence, Wanted};
use std::ops::Range;

/// A run that differs from the baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The first position that is computed anew.
    pub(crate) start: usize,
    change: Change,
}

#[derive(Clone, Debug, PartialEq)]
enum Change {
    /// Attention is scaled: keys with their factors, by rising position.
    Factors { factors: Vec<(usize, f32)>, operator: Operator, layers: Range<usize> },
    /// Positions are not there at all, and what comes after moves up. Rising.
    Without { positions: Vec<usize> },
}

impl Job {
    /// Attention to some keys is scaled by their factors, given by rising position.
    pub fn scaled(factors: Vec<(usize, f32)>, operator: Operator, layers: Range<usize>) -> Job {
        let first = factors.first().map_or(0, |(position, _)| *position);
        let start = if operator == Operator::ShiftedFull { 0 } else { first };
        Job { start, change: Change::Factors { factors, operator, layers } }
    }

    /// Every factor is 1: the baseline's numbers, computed as those of a suppression from `start` on.
    pub fn identity(start: usize, operator: Operator, layers: Range<usize>) -> Job {
        let start = if operator == Operator::ShiftedFull { 0 } else { start };
        Job { start, change: Change::Factors { factors: Vec::new(), operator, layers } }
    }

    /// What stands at some positions is left out. `first_wanted` is the first position whose output is wanted.
    pub fn without(positions: &[usize], first_wanted: usize) -> Job {
        let mut positions = positions.to_vec();
        positions.sort_unstable();
        positions.dedup();
        let first = positions.first().copied().unwrap_or(first_wanted);
        // What predicts the first wanted token must be computed: itself, or the last position before it that is left.
        let predicts = (0..=first_wanted).rev().find(|position| !positions.contains(position));
        Job { start: first.min(predicts.unwrap_or(0)), change: Change::Without { positions } }
    }

    /// The same run with every position computed anew, which changes nothing but what it costs.
    pub fn unshared(self) -> Job {
        Job { start: 0, ..self }
    }

    /// Whether the output after `row` can differ from the baseline's.
    pub(crate) fn reaches(&self, row: usize) -> bool {
        match &self.change {
            Change::Factors { factors, .. } => factors.first().map_or(self.start, |(first, _)| *first) <= row,
            Change::Without { positions } => positions.first().is_none_or(|first| *first <= row),
        }
    }

    /// Where the output after `row` is computed: the row's own place, or where it has moved to. `None` where it is not.
    fn place(&self, row: usize) -> Option<usize> {
        match &self.change {
            Change::Factors { .. } => (row >= self.start).then_some(row),
            Change::Without { positions } => {
                let before = positions.partition_point(|position| *position <= row);
                (row + 1).checked_sub(before + 1).filter(|place| *place >= self.start)
            }
        }
    }

    /// The wanted positions of the run, and for each of `wanted` which of them it is.
    fn placed(&self, wanted: &[Wanted]) -> (Vec<Wanted>, Vec<Option<Place>>) {
        let (mut placed, mut places): (Vec<Wanted>, Vec<Option<Place>>) = (Vec::new(), Vec::with_capacity(wanted.len()));
        for each in wanted {
            let position = self.place(each.position).filter(|_| self.reaches(each.position));
            places.push(position.map(|position| {
                if placed.last().is_none_or(|last| last.position != position) {
                    placed.push(Wanted { position, tokens: Vec::new() });
                }
                let index = placed.len() - 1;
                let tokens = placed.last_mut().map(|last| &mut last.tokens);
                let first_token = tokens.as_ref().map_or(0, |tokens| tokens.len());
                tokens.into_iter().for_each(|tokens| tokens.extend(&each.tokens));
                Place { index, first_token }
            }));
        }
        (placed, places)
    }

    /// How many positions the run has in all, of `n_positions`.
    pub(crate) fn n_positions(&self, n_positions: usize) -> usize {
        match &self.change {
            Change::Factors { .. } => n_positions,
            Change::Without { positions } => n_positions.saturating_sub(positions.len()),
        }
    }

    /// What it costs.
    pub(crate) fn shape(&self, n_positions: usize, wanted: &[Wanted]) -> BatchShape {
        let end = self.n_positions(n_positions);
        let factors = match &self.change {
            Change::Factors { .. } => end,
            Change::Without { .. } => 0,
        };
        let (placed, _) = self.placed(wanted);
        BatchShape::of_sequence(self.start, end, factors, placed.iter().map(|each| (each.position, each.tokens.len())))
    }

    /// What it takes in passes of at most `rows` positions, which read the keys of earlier ones from a cache of the job's own; `None`
    /// for one that can only run in one pass, because it looks at future keys.
    ///
    /// # Errors
    /// None that depends on the job.
    pub(crate) fn estimate_in_pieces(
        &self,
        model: &Model,
        n_positions: usize,
        wanted: &[Wanted],
        rows: usize,
    ) -> Result<Option<Estimate>, ModelError> {
        let is_factored = match &self.change {
            Change::Factors { operator: Operator::ShiftedFull, .. } => return Ok(None),
            Change::Factors { .. } => true,
            Change::Without { .. } => false,
        };
        let end = self.n_positions(n_positions);
        let (placed, _) = self.placed(wanted);
        let wanted: Vec<(usize, usize)> = placed.iter().map(|each| (each.position, each.tokens.len())).collect();
        let mut estimate = model.estimate_prefill(self.start..end, is_factored, &wanted, rows)?;
        estimate.buffer_bytes += model.cache_bytes(end);
        Ok(Some(estimate))
    }

    /// The sequence to run, and where each of `wanted` comes back; nothing where nothing can be computed.
    pub(crate) fn sequence(&self, whole: &Mixed, wanted: &[Wanted]) -> (Option<Sequence>, Vec<Option<Place>>) {
        let (placed, places) = self.placed(wanted);
        if placed.is_empty() {
            return (None, places);
        }
        let (input, factors) = match &self.change {
            Change::Factors { factors, operator, layers } => {
                let mut all = vec![1.0; whole.len()];
                for (position, factor) in factors {
                    all.get_mut(*position).into_iter().for_each(|slot| *slot = *factor);
                }
                let factors = KeyFactors { factors: all, operator: *operator, layers: layers.clone() };
                (whole.slice(self.start..whole.len()), Some(factors))
            }
            Change::Without { positions } => {
                let left = (0..whole.len()).filter(|position| positions.binary_search(position).is_err());
                (whole.select(left.skip(self.start)), None)
            }
        };
        (Some(Sequence { start: self.start, input: Input::Mixed(input), factors, wanted: placed }), places)
    }
}

/// Where a wanted position's results come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Which of the sequence's results.
    pub(crate) index: usize,
    /// The first of its tokens there.
    pub(crate) first_token: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four prompt tokens and a target of three.
    const IDS: [u32; 6] = [10, 11, 12, 13, 20, 21];

    fn wanted() -> Vec<Wanted> {
        [(3, 20), (4, 21), (5, 22)].map(|(position, token)| Wanted { position, tokens: vec![token] }).into()
    }

    /// Where a sequence starts, its tokens, its wanted positions with their tokens, and which of these each target token is.
    type Ran = (usize, Vec<u32>, Vec<(usize, Vec<u32>)>, Vec<Option<usize>>);

    fn run(job: &Job) -> Ran {
        let (sequence, places) = job.sequence(&Mixed::from(IDS.to_vec()), &wanted());
        let sequence = sequence.unwrap();
        let Input::Mixed(input) = sequence.input else { panic!("mixed") };
        let wanted = sequence.wanted.into_iter().map(|w| (w.position, w.tokens)).collect();
        (sequence.start, input.ids().to_vec(), wanted, places.into_iter().map(|place| place.map(|p| p.index)).collect())
    }

    #[test]
    fn a_suppression_runs_from_its_first_key_and_wants_what_comes_after() {
        let job = Job::scaled(vec![(4, 0.1)], Operator::LogAdditive, 0..1);
        assert_eq!(run(&job), (4, vec![20, 21], vec![(4, vec![21]), (5, vec![22])], vec![None, Some(0), Some(1)]));
        let full = Job::scaled(vec![(4, 0.1)], Operator::ShiftedFull, 0..1);
        assert_eq!(run(&full).0, 0);
        assert_eq!(run(&full).3, [None, Some(0), Some(1)], "what comes before the key is still not its affair");
    }

    #[test]
    fn tokens_left_out_move_what_comes_after() {
        // The last two prompt tokens: the first target token is then predicted after position 1.
        let job = Job::without(&[3, 2], 3);
        let expected = (1, vec![11, 20, 21], vec![(1, vec![20]), (2, vec![21]), (3, vec![22])], vec![Some(0), Some(1), Some(2)]);
        assert_eq!(run(&job), expected);
        // A target token: two tokens are then predicted at one place.
        let job = Job::without(&[4], 3);
        assert_eq!(run(&job), (3, vec![13, 21], vec![(3, vec![21]), (4, vec![22])], vec![None, Some(0), Some(1)]));
        let shape = job.shape(IDS.len(), &wanted());
        assert_eq!((shape.rows, shape.wanted_rows, shape.wanted_tokens), (2, 2, 2));
    }

    #[test]
    fn where_no_context_is_left_nothing_can_be_predicted() {
        let job = Job::without(&[0, 1, 2, 3], 3);
        assert_eq!(run(&job), (0, vec![20, 21], vec![(0, vec![21]), (1, vec![22])], vec![None, Some(0), Some(1)]));
        let (sequence, places) =
            Job::without(&[0], 0).sequence(&Mixed::from(vec![10]), &[Wanted { position: 0, tokens: vec![20] }]);
        assert_eq!((sequence.is_none(), places), (true, vec![None]));
    }

    #[test]
    fn embeddings_stay_with_their_positions() {
        let input = Mixed::new(IDS.to_vec(), 12, &[1.0, 2.0], 2).unwrap();
        let input = |job: &Job| match job.sequence(&input, &wanted()).0.unwrap().input {
            Input::Mixed(mixed) => (mixed.ids().to_vec(), mixed.embeddings().map(|(at, values)| (at, values.to_vec())).collect()),
            other => panic!("{other:?}"),
        };
        let at = |place| vec![(place, vec![1.0, 2.0])];
        assert_eq!(input(&Job::scaled(vec![(1, 0.0)], Operator::LogAdditive, 0..1)), (vec![11, 12, 13, 20, 21], at(1)));
        assert_eq!(input(&Job::without(&[1], 3)), (vec![12, 13, 20, 21], at(0)));
        assert_eq!(input(&Job::without(&[2], 3)), (vec![13, 20, 21], vec![]));
    }
}
