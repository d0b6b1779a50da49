//! The table.

use crate::sample;

fn rows(text: &str) -> Vec<csv::StringRecord> {
    csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes()).records().map(Result::unwrap).collect()
}

#[test]
fn a_row_says_all_about_a_unit() {
    let rows = rows(&report::csv(&sample::full()).unwrap());
    let header = "unit,source,text,start,end,positions,neighbours,sink,parent,score,below_noise,t0: Rome,t1: .,rather than: Milan,rather than: Paris, of course";
    assert_eq!(rows[0].iter().collect::<Vec<_>>().join(","), header);
    assert_eq!(rows.len(), 14);
    let capital: Vec<&str> = rows[2].iter().collect();
    assert_eq!(capital[..9], ["1", "prompt", " capital", "3", "11", "1", "8", "false", ""]);
    assert_eq!(capital[10..13], ["false", "0.235496", "0.072151"]);
    assert!((capital[13].parse::<f32>().unwrap() - (0.235496 * 0.8 - 0.15)).abs() < 1e-5);
    assert!((capital[9].parse::<f32>().unwrap() - 0.307647).abs() < 1e-5);
    let rome: Vec<&str> = rows[13].iter().collect();
    assert_eq!(rome[1..3], ["target", " Rome"]);
    assert_eq!(rome[11..13], ["", "0.087002"], "a token does not depend on itself");
}

#[test]
fn scores_are_those_of_what_is_looked_at_and_a_cut_answer_is_marked() {
    let document = sample::full().with_contrast(1).with_target_cut(true);
    let rows = rows(&report::csv(&document).unwrap());
    assert_eq!(&rows[0][12], "t1: .…");
    for row in &rows[1..] {
        assert_eq!(row[9], row[14], "{row:?}");
    }
}

#[test]
fn what_was_not_computed_is_empty() {
    let rows = rows(&report::csv(&sample::partial()).unwrap());
    assert_eq!(rows[10].iter().skip(9).collect::<Vec<_>>(), ["", "", "", ""]);
}

#[test]
fn no_text_is_a_formula_and_any_text_stays_one_cell() {
    let rows = rows(&report::csv(&sample::hostile()).unwrap());
    assert_eq!(rows.len(), 1 + sample::HOSTILE.len() + 2);
    assert_eq!(&rows[10][2], "'=HYPERLINK(\"http://x\")");
    assert_eq!(&rows[3][2], "\n\t");
    assert_eq!(&rows[6][2], sample::HOSTILE[5]);
}
