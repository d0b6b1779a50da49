//! What all results of a method come to, how sure that is, and how methods differ.

use super::column::Column;
use super::data::Kind;
use super::measure::Measured;
use atman::{Bootstrap, Interval};

/// Means over examples, for each method.
pub(crate) struct Summary {
    pub(crate) kind: Kind,
    pub(crate) accuracy: Accuracy,
    pub(crate) columns: Vec<&'static Column>,
    pub(crate) rows: Vec<Row>,
    /// What intervals come from.
    pub(crate) bootstrap: Bootstrap,
    /// The method that the others are compared with.
    pub(crate) against: String,
}

/// How many questions the model answers rightly itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accuracy {
    pub(crate) right: usize,
    pub(crate) asked: usize,
    /// Whether the others are left out.
    pub(crate) only_right: bool,
}

/// A method.
pub(crate) struct Row {
    pub(crate) method: String,
    /// Its result for each example, where there is one.
    pub(crate) measured: Vec<Option<Measured>>,
    /// One for each column.
    pub(crate) figures: Vec<Option<Figure>>,
    /// How much these are above those of the method that is compared with, on the examples that both have. Empty for that one.
    pub(crate) differences: Vec<Option<Figure>>,
}

/// A number of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figure {
    pub(crate) value: f64,
    /// `None` where there are too few examples to say.
    pub(crate) interval: Option<Interval>,
}

impl Row {
    pub(crate) fn n_examples(&self) -> usize {
        self.measured.iter().flatten().count()
    }
}

impl Summary {
    /// Of the methods' results, in one order of examples; `against` is the number of the method to compare with.
    pub(crate) fn new(kind: Kind, methods: Vec<(String, Vec<Option<Measured>>)>, against: usize, accuracy: Accuracy) -> Self {
        let (columns, bootstrap) = (kind.columns(), Bootstrap::default());
        let compared = methods.get(against).map(|(_, measured)| measured.clone()).unwrap_or_default();
        let name = methods.get(against).map(|(method, _)| method.clone()).unwrap_or_default();
        let row = |(index, (method, measured)): (usize, (String, Vec<Option<Measured>>))| {
            let of_method = |column: &&Column| figure(column, &bootstrap, &measured);
            let difference = |column: &&Column| difference(column, &bootstrap, &measured, &compared);
            let figures = columns.iter().map(of_method).collect();
            let differences = columns.iter().filter(|_| index != against).map(difference).collect();
            Row { method, figures, differences, measured }
        };
        let rows = methods.into_iter().enumerate().map(row).collect();
        Self { kind, accuracy, columns, rows, bootstrap, against: name }
    }
}

fn figure(column: &Column, bootstrap: &Bootstrap, measured: &[Option<Measured>]) -> Option<Figure> {
    let values: Vec<f64> = measured.iter().flatten().filter_map(column.pick).collect();
    let interval = bootstrap.interval(values.len(), |drawn| (column.of)(&of_drawn(&values, drawn)));
    Some(Figure { value: (column.of)(&values)?, interval })
}

fn difference(
    column: &Column,
    bootstrap: &Bootstrap,
    measured: &[Option<Measured>],
    compared: &[Option<Measured>],
) -> Option<Figure> {
    let pick = |measured: &Option<Measured>| (column.pick)(measured.as_ref()?);
    let pairs = measured.iter().zip(compared).filter_map(|(one, other)| Some((pick(one)?, pick(other)?)));
    let (one, other): (Vec<f64>, Vec<f64>) = pairs.unzip();
    // The same examples are drawn for both.
    let of_pair = |drawn: &[usize]| Some((column.of)(&of_drawn(&one, drawn))? - (column.of)(&of_drawn(&other, drawn))?);
    Some(Figure { value: (column.of)(&one)? - (column.of)(&other)?, interval: bootstrap.interval(one.len(), of_pair) })
}

fn of_drawn(values: &[f64], drawn: &[usize]) -> Vec<f64> {
    drawn.iter().filter_map(|index| values.get(*index).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(average_precision: Option<f64>) -> Option<Measured> {
        Some(Measured { average_precision, ..Measured::default() })
    }

    #[test]
    fn methods_are_compared_question_by_question() {
        // The second is 0.1 above the first on each question that both have, however much questions differ.
        let first: Vec<_> = (0..8).map(|i| measured(Some(f64::from(i) / 10.0))).collect();
        let mut second: Vec<_> = (0..8).map(|i| measured(Some(f64::from(i) / 10.0 + 0.1))).collect();
        second[2] = None;
        second[5] = measured(None);
        let methods = vec![("first".to_owned(), first), ("second".to_owned(), second)];
        let summary = Summary::new(Kind::Text, methods.clone(), 0, Accuracy::default());
        assert!(summary.against == "first" && summary.rows[0].differences.is_empty());
        let figure = summary.rows[0].figures[0].unwrap();
        let interval = figure.interval.unwrap();
        assert!((figure.value - 0.35).abs() < 1e-12 && interval.low < 0.3 && interval.high > 0.4, "{figure:?}");
        let difference = summary.rows[1].differences[0].unwrap();
        let interval = difference.interval.unwrap();
        assert!([difference.value, interval.low, interval.high].iter().all(|value| (value - 0.1).abs() < 1e-9), "{difference:?}");
        assert_eq!(summary.rows[1].n_examples(), 7);
        // The other way round.
        let summary = Summary::new(Kind::Text, methods, 1, Accuracy::default());
        assert!((summary.rows[0].differences[0].unwrap().value + 0.1).abs() < 1e-9);
    }

    #[test]
    fn one_question_has_no_interval_and_none_no_figure() {
        let methods = vec![("first".to_owned(), vec![measured(Some(0.5))]), ("second".to_owned(), vec![measured(None)])];
        let summary = Summary::new(Kind::Text, methods, 0, Accuracy::default());
        assert_eq!(summary.rows[0].figures[0], Some(Figure { value: 0.5, interval: None }));
        assert_eq!((summary.rows[1].figures[0], summary.rows[1].differences[0]), (None, None));
    }
}
