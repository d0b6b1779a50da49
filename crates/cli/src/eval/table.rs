//! Results as tables.

use super::data::{About, Example, Kind};
use super::measure::Measured;
use super::method::Method;
use anyhow::Result;
use atman::metrics::{interquartile_mean, mean};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::fmt::Write;

/// Means over examples, for each method.
pub(crate) struct Summary {
    kind: Kind,
    accuracy: Option<Accuracy>,
    columns: Vec<&'static Column>,
    rows: Vec<Row>,
    measured: Vec<Vec<Option<Measured>>>,
}

/// How many rows about pictures the model answers as the data do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accuracy {
    pub(crate) right: usize,
    pub(crate) asked: usize,
    /// Whether the others are left out.
    pub(crate) only_right: bool,
}

struct Row {
    method: String,
    n_examples: usize,
    /// One for each column.
    figures: Vec<Option<f64>>,
}

/// A figure of the table.
struct Column {
    /// For people.
    title: &'static str,
    /// For programs.
    name: &'static str,
    digits: usize,
    pick: fn(&Measured) -> Option<f64>,
    of: fn(&[f64]) -> Option<f64>,
}

static AVERAGE_PRECISION: Column = Column {
    title: "average precision",
    name: "average_precision",
    digits: 3,
    pick: |measured| Some(measured.average_precision),
    of: mean,
};
static SOFT: [Column; 4] = [
    Column {
        title: "soft precision",
        name: "soft_precision",
        digits: 3,
        pick: |measured| Some(measured.soft_precision),
        of: mean,
    },
    Column {
        title: "its IQ mean",
        name: "soft_precision_iq_mean",
        digits: 3,
        pick: |measured| Some(measured.soft_precision),
        of: interquartile_mean,
    },
    Column { title: "soft recall", name: "soft_recall", digits: 3, pick: |measured| Some(measured.soft_recall), of: mean },
    Column {
        title: "its IQ mean",
        name: "soft_recall_iq_mean",
        digits: 3,
        pick: |measured| Some(measured.soft_recall),
        of: interquartile_mean,
    },
];
static OF_IMAGES: [Column; 4] = [
    Column { title: "mAP", name: "average_precision", digits: 3, pick: |measured| Some(measured.average_precision), of: mean },
    Column { title: "pointing game", name: "pointing_game", digits: 3, pick: |measured| measured.pointing_game, of: mean },
    Column { title: "rows", name: "rows", digits: 0, pick: |measured| Some(measured.rows as f64), of: mean },
    Column { title: "seconds", name: "seconds", digits: 3, pick: |measured| Some(measured.seconds), of: mean },
];

impl Kind {
    fn columns(self) -> Vec<&'static Column> {
        let [map, pointing_game, rows, seconds] = &OF_IMAGES;
        match self {
            Self::Text => [&AVERAGE_PRECISION].into_iter().chain(&SOFT).collect(),
            Self::Image => [map].into_iter().chain(&SOFT).chain([pointing_game, rows, seconds]).collect(),
        }
    }
}

impl Summary {
    /// Of the examples with these keys.
    pub(crate) fn new(
        kind: Kind,
        keys: &[String],
        methods: &[Method],
        done: &HashMap<(String, String), Measured>,
        accuracy: Option<Accuracy>,
    ) -> Self {
        let of_method = |method: &Method| -> Vec<Option<Measured>> {
            keys.iter().map(|key| done.get(&(key.clone(), method.to_string())).cloned()).collect()
        };
        let measured: Vec<Vec<Option<Measured>>> = methods.iter().map(of_method).collect();
        let columns = kind.columns();
        let row = |(method, measured): (&Method, &Vec<Option<Measured>>)| {
            let figure = |column: &&Column| {
                let values: Vec<f64> = measured.iter().flatten().filter_map(column.pick).collect();
                (column.of)(&values)
            };
            Row {
                method: method.to_string(),
                n_examples: measured.iter().flatten().count(),
                figures: columns.iter().map(figure).collect(),
            }
        };
        let rows = methods.iter().zip(&measured).map(row).collect();
        Self { kind, accuracy, columns, rows, measured }
    }

    /// A table for people; the best average precision is bold.
    pub(crate) fn markdown(&self) -> String {
        let best = self.rows.iter().filter_map(|row| row.figures.first().copied().flatten()).fold(f64::MIN, f64::max);
        let titles: Vec<&str> = self.columns.iter().map(|column| column.title).collect();
        let mut text = format!("| method | examples | {} |\n|---|---:|{}\n", titles.join(" | "), "---:|".repeat(titles.len()));
        for row in &self.rows {
            let _ = write!(text, "| {} | {} |", row.method, row.n_examples);
            for (at, (column, value)) in self.columns.iter().zip(&row.figures).enumerate() {
                let bold = if at == 0 && *value == Some(best) { "**" } else { "" };
                let _ = match value {
                    Some(value) => write!(text, " {bold}{value:.*}{bold} |", column.digits),
                    None => write!(text, " |"),
                };
            }
            text.push('\n');
        }
        if let Some(Accuracy { right, asked, only_right }) = self.accuracy {
            let others = if only_right { "; the others are left out" } else { "" };
            let _ = write!(text, "\nThe model answers {right} of {asked} questions as the data do{others}.\n");
        }
        text
    }

    /// The same for programs.
    pub(crate) fn csv(&self) -> Result<String> {
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record(["method", "examples"].into_iter().chain(self.columns.iter().map(|column| column.name)))?;
        for row in &self.rows {
            let figures = row.figures.iter().map(|value| value.map_or_else(String::new, |value| value.to_string()));
            table.write_record([row.method.clone(), row.n_examples.to_string()].into_iter().chain(figures))?;
        }
        Ok(String::from_utf8(table.into_inner()?)?)
    }

    /// The same as JSON.
    pub(crate) fn json(&self) -> Result<String> {
        let method = |row: &Row| {
            let figures = self.columns.iter().zip(&row.figures).map(|(column, value)| (column.name.to_owned(), json!(value)));
            let named = [("method".to_owned(), json!(row.method)), ("examples".to_owned(), json!(row.n_examples))];
            Value::Object(named.into_iter().chain(figures).collect())
        };
        let mut all = Map::new();
        let about = match self.kind {
            Kind::Text => "texts",
            Kind::Image => "pictures",
        };
        all.insert("about".to_owned(), json!(about));
        if let Some(Accuracy { right, asked, only_right }) = self.accuracy {
            let accuracy = json!({"right": right, "asked": asked, "only_right": only_right});
            all.insert("answers".to_owned(), accuracy);
        }
        all.insert("methods".to_owned(), self.rows.iter().map(method).collect());
        Ok(format!("{}\n", serde_json::to_string_pretty(&all)?))
    }

    /// Every example and method.
    pub(crate) fn examples_csv(&self, examples: &[&Example]) -> Result<String> {
        let mut table = csv::Writer::from_writer(Vec::new());
        let (sizes, of_pictures): (&[&str], &[&str]) = match self.kind {
            Kind::Text => (&["context_tokens", "answer_tokens"], &[]),
            Kind::Image => (&["width_px", "height_px", "mask_pixels"], &["pointing_game", "right"]),
        };
        let measures = ["average_precision", "soft_precision", "soft_recall"];
        let header = ["example", "method"].iter().chain(sizes).chain(&measures).chain(of_pictures);
        table.write_record(header.chain(&["rows", "seconds"]))?;
        for (index, example) in examples.iter().enumerate() {
            let sizes: Vec<usize> = match &example.about {
                About::Text(about) => {
                    vec![about.context.len(), about.is_answer.iter().filter(|is_answer| **is_answer).count()]
                }
                About::Image(about) => vec![about.width_px, about.height_px, about.mask_pixels],
            };
            for measured in self.measured.iter().filter_map(|of_method| of_method.get(index)?.as_ref()) {
                let mut record = vec![example.id.clone(), measured.method.clone()];
                record.extend(sizes.iter().map(usize::to_string));
                record.extend([measured.average_precision, measured.soft_precision, measured.soft_recall].map(|m| m.to_string()));
                if self.kind == Kind::Image {
                    record.push(measured.pointing_game.map_or_else(String::new, |hit| hit.to_string()));
                    record.push(measured.right.map_or_else(String::new, |right| right.to_string()));
                }
                record.extend([measured.rows.to_string(), format!("{:.3}", measured.seconds)]);
                table.write_record(record)?;
            }
        }
        Ok(String::from_utf8(table.into_inner()?)?)
    }
}
