//! Results as tables.

use super::data::{About, Example, Kind};
use super::measure::Measured;
use super::summary::{Accuracy, Figure, Row, Summary};
use anyhow::Result;
use atman::Interval;
use serde_json::{Map, Value, json};
use std::fmt::Write;

impl Summary {
    /// Tables for people: means, then differences from one method. The best average precision is bold.
    pub(crate) fn markdown(&self) -> String {
        let value_of = |row: &Row| Some(row.figures.first().copied().flatten()?.value);
        let best = self.rows.iter().filter_map(value_of).fold(f64::MIN, f64::max);
        let titles: Vec<&str> = self.columns.iter().map(|column| column.title).collect();
        let head = |text: &mut String| {
            let _ = writeln!(text, "| method | examples | {} |", titles.join(" | "));
            let _ = writeln!(text, "|---|---:|{}", "---:|".repeat(titles.len()));
        };
        let mut text = String::new();
        head(&mut text);
        for row in &self.rows {
            let cell = |(at, figure): (usize, &Option<Figure>)| match figure {
                Some(figure) if at == 0 && figure.value == best => self.cell(at, *figure, "**", ""),
                Some(figure) => self.cell(at, *figure, "", ""),
                None => String::new(),
            };
            let cells: Vec<String> = row.figures.iter().enumerate().map(cell).collect();
            let _ = writeln!(text, "| {} | {} | {} |", row.method, row.n_examples(), cells.join(" | "));
        }
        let compared: Vec<&Row> = self.rows.iter().filter(|row| !row.differences.is_empty()).collect();
        if !compared.is_empty() {
            let _ = writeln!(text, "\nDifferences from {}, question by question:\n", self.against);
            head(&mut text);
            for row in compared {
                let cell =
                    |(at, figure): (usize, &Option<Figure>)| figure.map_or_else(String::new, |f| self.cell(at, f, "", "+"));
                let cells: Vec<String> = row.differences.iter().enumerate().map(cell).collect();
                let _ = writeln!(text, "| {} | {} | {} |", row.method, row.n_examples(), cells.join(" | "));
            }
        }
        let _ = writeln!(
            text,
            "\nIn brackets the {:.0} % interval: percentile bootstrap over questions, {} draws, seed {}.",
            100.0 * self.bootstrap.confidence,
            self.bootstrap.draws,
            self.bootstrap.seed
        );
        let Accuracy { right, asked, only_right } = self.accuracy;
        let others = if only_right { "; the others are left out" } else { "" };
        let how = match self.kind {
            Kind::Text => "rightly itself: the answer's words are among its own",
            Kind::Image => "as the data do",
        };
        let _ = writeln!(text, "The model answers {right} of {asked} questions {how}{others}.");
        text
    }

    /// A number with its interval.
    fn cell(&self, column: usize, figure: Figure, mark: &str, sign: &str) -> String {
        let digits = self.columns.get(column).map_or(3, |column| column.digits);
        let number = |value: f64| if sign.is_empty() { format!("{value:.digits$}") } else { format!("{value:+.digits$}") };
        let interval = |Interval { low, high }| format!(" [{}, {}]", number(low), number(high));
        format!("{mark}{}{mark}{}", number(figure.value), figure.interval.map_or_else(String::new, interval))
    }

    /// The same for programs.
    pub(crate) fn csv(&self) -> Result<String> {
        let mut table = csv::Writer::from_writer(Vec::new());
        let names = self.columns.iter().map(|column| column.name);
        let with_ends = |name: String| [name.clone(), format!("{name}_low"), format!("{name}_high")];
        let differences = names.clone().map(|name| format!("{name}_difference"));
        let header = ["method", "examples"].map(str::to_owned).into_iter();
        table.write_record(header.chain(names.map(str::to_owned).chain(differences).flat_map(with_ends)))?;
        for row in &self.rows {
            let differences = (0..self.columns.len()).map(|at| row.differences.get(at).copied().flatten());
            let figures = row.figures.iter().copied().chain(differences).flat_map(|figure| {
                let interval = figure.and_then(|figure| figure.interval);
                let numbers = [figure.map(|figure| figure.value), interval.map(|ends| ends.low), interval.map(|ends| ends.high)];
                numbers.map(|number| number.map_or_else(String::new, |number| number.to_string()))
            });
            table.write_record([row.method.clone(), row.n_examples().to_string()].into_iter().chain(figures))?;
        }
        Ok(String::from_utf8(table.into_inner()?)?)
    }

    /// The same as JSON.
    pub(crate) fn json(&self) -> Result<String> {
        let by_name = |figures: &[Option<Figure>], of: &dyn Fn(&Figure) -> Value| -> Map<String, Value> {
            let value = |figure: &Option<Figure>| figure.as_ref().map_or(Value::Null, of);
            self.columns.iter().zip(figures).map(|(column, figure)| (column.name.to_owned(), value(figure))).collect()
        };
        let interval = |figure: &Figure| json!(figure.interval.map(|ends| [ends.low, ends.high]));
        let method = |row: &Row| {
            let mut named = Map::new();
            named.insert("method".to_owned(), json!(row.method));
            named.insert("examples".to_owned(), json!(row.n_examples()));
            named.extend(by_name(&row.figures, &|figure| json!(figure.value)));
            named.insert("intervals".to_owned(), by_name(&row.figures, &interval).into());
            if !row.differences.is_empty() {
                named.insert("differences".to_owned(), by_name(&row.differences, &|figure| json!(figure.value)).into());
                named.insert("difference_intervals".to_owned(), by_name(&row.differences, &interval).into());
            }
            Value::Object(named)
        };
        let about = match self.kind {
            Kind::Text => "texts",
            Kind::Image => "pictures",
        };
        let Accuracy { right, asked, only_right } = self.accuracy;
        let all = json!({
            "about": about,
            "answers": {"right": right, "asked": asked, "only_right": only_right},
            "bootstrap": self.bootstrap,
            "compared_with": self.against,
            "methods": self.rows.iter().map(method).collect::<Vec<Value>>(),
        });
        Ok(format!("{}\n", serde_json::to_string_pretty(&all)?))
    }

    /// Every example and method.
    pub(crate) fn examples_csv(&self, examples: &[&Example]) -> Result<String> {
        let mut table = csv::Writer::from_writer(Vec::new());
        let (sizes, of_pictures): (&[&str], &[&str]) = match self.kind {
            Kind::Text => (&["context_tokens", "answer_tokens"], &[]),
            Kind::Image => (&["width_px", "height_px", "mask_pixels"], &["pointing_game"]),
        };
        let measures = ["average_precision", "soft_precision", "soft_recall", "atman_precision", "atman_recall"];
        let header = ["example", "method"].iter().chain(sizes).chain(&measures).chain(of_pictures);
        table.write_record(header.chain(&["right", "rows", "seconds"]))?;
        for (index, example) in examples.iter().enumerate() {
            let sizes: Vec<usize> = match &example.about {
                About::Text(about) => {
                    vec![about.context.len(), about.is_answer.iter().filter(|is_answer| **is_answer).count()]
                }
                About::Image(about) => vec![about.width_px, about.height_px, about.mask_pixels],
            };
            for measured in self.rows.iter().filter_map(|row| row.measured.get(index)?.as_ref()) {
                let mut record = vec![example.id.clone(), measured.method.clone()];
                record.extend(sizes.iter().map(usize::to_string));
                record.extend(self.measures(measured).into_iter().map(|m| m.map_or_else(String::new, |m| m.to_string())));
                record.extend([measured.right.to_string(), measured.rows.to_string(), format!("{:.3}", measured.seconds)]);
                table.write_record(record)?;
            }
        }
        Ok(String::from_utf8(table.into_inner()?)?)
    }

    fn measures(&self, measured: &Measured) -> Vec<Option<f64>> {
        let Measured { average_precision, soft_precision, soft_recall, atman_precision, atman_recall, .. } = measured;
        let mut measures = vec![*average_precision, *soft_precision, *soft_recall, *atman_precision, *atman_recall];
        measures.extend((self.kind == Kind::Image).then_some(measured.pointing_game));
        measures
    }
}
