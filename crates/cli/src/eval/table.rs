//! Results as tables.

use super::data::Example;
use super::measure::Measured;
use super::method::Method;
use anyhow::Result;
use atman::metrics::{interquartile_mean, mean};
use std::collections::HashMap;
use std::fmt::Write;

/// Means over examples, for each method.
pub(crate) struct Summary {
    rows: Vec<Row>,
    measured: Vec<Vec<Option<Measured>>>,
}

struct Row {
    method: String,
    n_examples: usize,
    means: [Option<f64>; 5],
}

/// What the columns hold.
const COLUMNS: [&str; 5] = ["average precision", "soft precision", "its IQ mean", "soft recall", "its IQ mean"];

impl Summary {
    /// Of the examples with these keys.
    pub(crate) fn new(keys: &[String], methods: &[Method], done: &HashMap<(String, String), Measured>) -> Self {
        let of_method = |method: &Method| -> Vec<Option<Measured>> {
            keys.iter().map(|key| done.get(&(key.clone(), method.to_string())).cloned()).collect()
        };
        let measured: Vec<Vec<Option<Measured>>> = methods.iter().map(of_method).collect();
        let row = |(method, measured): (&Method, &Vec<Option<Measured>>)| {
            let column = |pick: fn(&Measured) -> f64| -> Vec<f64> { measured.iter().flatten().map(pick).collect() };
            let (precision, recall) = (column(|m| m.soft_precision), column(|m| m.soft_recall));
            Row {
                method: method.to_string(),
                n_examples: measured.iter().flatten().count(),
                means: [
                    mean(&column(|m| m.average_precision)),
                    mean(&precision),
                    interquartile_mean(&precision),
                    mean(&recall),
                    interquartile_mean(&recall),
                ],
            }
        };
        Self { rows: methods.iter().zip(&measured).map(row).collect(), measured }
    }

    /// A table for people; the best average precision is bold.
    pub(crate) fn markdown(&self) -> String {
        let best = self.rows.iter().filter_map(|row| row.means[0]).fold(f64::MIN, f64::max);
        let mut text = format!("| method | examples | {} |\n|---|---:|{}\n", COLUMNS.join(" | "), "---:|".repeat(COLUMNS.len()));
        for row in &self.rows {
            let _ = write!(text, "| {} | {} |", row.method, row.n_examples);
            for (column, value) in row.means.iter().enumerate() {
                let bold = if column == 0 && *value == Some(best) { "**" } else { "" };
                let _ = match value {
                    Some(value) => write!(text, " {bold}{value:.3}{bold} |"),
                    None => write!(text, " |"),
                };
            }
            text.push('\n');
        }
        text
    }

    /// The same for programs.
    pub(crate) fn csv(&self) -> Result<String> {
        let mut table = csv::Writer::from_writer(Vec::new());
        let names = ["average_precision", "soft_precision", "soft_precision_iq_mean", "soft_recall", "soft_recall_iq_mean"];
        table.write_record(["method", "examples"].into_iter().chain(names))?;
        for row in &self.rows {
            let means = row.means.iter().map(|value| value.map_or_else(String::new, |value| value.to_string()));
            table.write_record([row.method.clone(), row.n_examples.to_string()].into_iter().chain(means))?;
        }
        Ok(String::from_utf8(table.into_inner()?)?)
    }

    /// Every example and method.
    pub(crate) fn examples_csv(&self, examples: &[Example]) -> Result<String> {
        let mut table = csv::Writer::from_writer(Vec::new());
        let names =
            ["example", "method", "context_tokens", "answer_tokens", "average_precision", "soft_precision", "soft_recall"];
        table.write_record(names.into_iter().chain(["rows", "seconds"]))?;
        for (index, example) in examples.iter().enumerate() {
            for measured in self.measured.iter().filter_map(|of_method| of_method.get(index)?.as_ref()) {
                let answer_tokens = example.is_answer.iter().filter(|is_answer| **is_answer).count();
                table.write_record([
                    example.id.clone(),
                    measured.method.clone(),
                    example.context.len().to_string(),
                    answer_tokens.to_string(),
                    measured.average_precision.to_string(),
                    measured.soft_precision.to_string(),
                    measured.soft_recall.to_string(),
                    measured.rows.to_string(),
                    format!("{:.3}", measured.seconds),
                ])?;
            }
        }
        Ok(String::from_utf8(table.into_inner()?)?)
    }
}
