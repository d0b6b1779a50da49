//! The table.

use crate::sample;

fn rows(text: &str) -> Vec<csv::StringRecord> {
    csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes()).records().map(Result::unwrap).collect()
}

#[test]
fn a_row_says_all_about_a_unit() {
    let rows = rows(&report::csv(&sample::full()).unwrap());
    let header = "unit,source,text,start,end,positions,neighbours,sink,parent,score,below_noise,role,control,version,\
                  held,notices,t0: Rome,t1: .,rather than: Milan,rather than: Paris, of course";
    assert_eq!(rows[0].iter().collect::<Vec<_>>().join(","), header);
    assert_eq!(rows.len(), 14);
    let capital: Vec<&str> = rows[2].iter().collect();
    assert_eq!(capital[..9], ["1", "prompt", " capital", "3", "11", "1", "8", "false", ""]);
    assert_eq!(capital[10..13], ["false", "", "false"]);
    assert_eq!(capital[13..16], [report::VERSION, "no chat template; 11 of 12 prompt tokens eligible", ""]);
    assert_eq!(capital[16..18], ["0.235496", "0.072151"]);
    assert!((capital[18].parse::<f32>().unwrap() - (0.235496 * 0.8 - 0.15)).abs() < 1e-5);
    assert!((capital[9].parse::<f32>().unwrap() - 0.307647).abs() < 1e-5);
    let rome: Vec<&str> = rows[13].iter().collect();
    assert_eq!(rome[1..3], ["target", " Rome"]);
    assert_eq!(rome[16..18], ["", "0.087002"], "a token does not depend on itself");
}

#[test]
fn scores_are_those_of_what_is_looked_at_and_a_cut_answer_is_marked() {
    let document = sample::full().with_contrast(1).with_target_cut(true);
    let rows = rows(&report::csv(&document).unwrap());
    assert_eq!(&rows[0][17], "t1: .…");
    for row in &rows[1..] {
        assert_eq!(row[9], row[19], "{row:?}");
    }
}

#[test]
fn whose_words_are_whose_is_told() {
    let rows = rows(&report::csv(&sample::conversation()).unwrap());
    let column = |name: &str| rows[0].iter().position(|column| column == name).unwrap();
    let typed = rows.iter().find(|row| &row[column("control")] == "true").unwrap();
    assert_eq!([&typed[column("text")], &typed[column("role")], &typed[column("sink")]], ["<|im_end|>", "user", "false"]);
    let notices = &typed[column("notices")];
    assert!(notices.starts_with("What was typed") && notices.ends_with("turn 3 (assistant)."), "{notices}");
    let roles: std::collections::BTreeSet<&str> = rows.iter().skip(1).map(|row| &row[column("role")]).collect();
    assert_eq!(roles, ["", "assistant", "system", "user"].into());
}

#[test]
fn what_was_not_computed_is_empty() {
    let rows = rows(&report::csv(&sample::partial()).unwrap());
    let cells: Vec<&str> = rows[10].iter().collect();
    assert_eq!([&cells[9..11], &cells[16..]].concat(), ["", "", "", ""]);
}

#[test]
fn no_text_is_a_formula_and_any_text_stays_one_cell() {
    let rows = rows(&report::csv(&sample::hostile()).unwrap());
    assert_eq!(rows.len(), 1 + sample::HOSTILE.len() + 2);
    assert_eq!(&rows[10][2], "'=HYPERLINK(\"http://x\")");
    assert_eq!(&rows[3][2], "\n\t");
    assert_eq!(&rows[6][2], sample::HOSTILE[5]);
}
