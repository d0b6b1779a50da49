//! Pictures in every format.

use crate::sample;
use atman::PixelRect;
use base64::Engine;
use report::{ColorDepth, Document, Format, Mosaic, Scale, TerminalStyle, html, relevance_grid, svg, terminal};

fn rect(left_px: f32, top_px: f32, right_px: f32, bottom_px: f32) -> PixelRect {
    PixelRect { left_px, top_px, right_px, bottom_px }
}

/// The data of the first `data:` URL after a mark.
fn data_after(text: &str, mark: &str) -> Vec<u8> {
    let (_, rest) = text.split_once(mark).unwrap_or_else(|| panic!("{mark} is not in {text}"));
    let (_, rest) = rest.split_once("base64,").unwrap();
    base64::engine::general_purpose::STANDARD.decode(rest.split_once('"').unwrap().0).unwrap()
}

#[test]
fn relevance_is_exact_at_the_centres_of_units_and_linear_between_them() {
    let parts = [
        (Some(1.0), &[rect(0.0, 0.0, 4.0, 4.0)][..]),
        (Some(3.0), &[rect(4.0, 0.0, 8.0, 4.0)][..]),
        (Some(-1.0), &[rect(0.0, 4.0, 4.0, 8.0)][..]),
        (Some(0.0), &[rect(4.0, 4.0, 8.0, 8.0)][..]),
    ];
    // Six pixels across 8: the second and the fifth lie at the centres, 2 and 6.
    let grid = relevance_grid(8, 8, &parts, 6, 6);
    let at = |row: usize, column: usize| grid.values[row * 6 + column].unwrap();
    assert_eq!([at(1, 1), at(1, 4), at(4, 1), at(4, 4)], [1.0, 3.0, -1.0, 0.0]);
    assert_eq!([at(0, 0), at(5, 5)], [1.0, 0.0], "beyond the outermost centres it stays");
    // A third of the way, at 10/3 of 2 to 6.
    assert!((at(1, 2) - (1.0 + 2.0 / 3.0)).abs() < 1e-6);
    // Midway in both directions: an odd number of pixels has one in the middle.
    let middle = relevance_grid(8, 8, &parts, 3, 3).values[4].unwrap();
    assert!((middle - 0.75).abs() < 1e-6, "{middle}");
}

#[test]
fn what_is_not_known_is_left_out_and_has_no_colour() {
    let parts = [
        (Some(2.0), &[rect(0.0, 0.0, 4.0, 4.0)][..]),
        (None, &[rect(4.0, 0.0, 8.0, 4.0)][..]),
        (Some(f32::NAN), &[rect(8.0, 0.0, 12.0, 4.0)][..]),
    ];
    let grid = relevance_grid(16, 4, &parts, 8, 1);
    assert_eq!(grid.values, [Some(2.0), Some(2.0), None, None, None, None, None, None]);
    let scale = Scale::of(&sample::scene());
    assert_eq!(grid.rgba(&scale)[8..], [0; 24]);
}

#[test]
fn a_part_of_several_rectangles_has_one_relevance_and_a_small_one_lies_on_top() {
    let corners = [rect(0.0, 0.0, 2.0, 2.0), rect(6.0, 6.0, 8.0, 8.0)];
    let whole = [rect(0.0, 0.0, 8.0, 8.0)];
    let mosaic = Mosaic::new(8, 8, &[&corners, &whole]);
    assert_eq!((mosaic.columns(), mosaic.rows()), (3, 3));
    let grid = mosaic.grid(&[Some(1.0), Some(-1.0)], 8, 8);
    assert_eq!((grid.values[0], grid.values[63]), (Some(1.0), Some(1.0)));
    assert_eq!(mosaic.grid(&[Some(1.0), Some(-1.0)], 1, 1).values, [Some(-1.0)]);
}

#[test]
fn the_tint_at_a_unit_s_centre_is_that_of_text_with_the_same_score() {
    let document = sample::scene();
    let scale = Scale::of(&document);
    let text = svg(&document);
    let tint = image::load_from_memory(&data_after(&text, "class=\"tint\"")).unwrap().into_rgba8();
    assert_eq!((tint.width(), tint.height()), (120, 120));
    for part in &report::pictures::of_document(&document)[0].parts {
        let PixelRect { left_px, top_px, .. } = part.rects[0];
        // 15 pixels for each of 8 patches of 8 pixels.
        let pixel = tint.get_pixel((left_px / 8.0) as u32 * 15 + 7, (top_px / 8.0) as u32 * 15 + 7).0;
        let score = document.scores[part.index].unwrap();
        assert_eq!(pixel, scale.tint(score), "{}", part.unit.text);
        let over_white = |channel: usize| {
            let alpha = f32::from(pixel[3]) / 255.0;
            f32::from(pixel[channel]) * alpha + 255.0 * (1.0 - alpha)
        };
        for channel in 0..3 {
            assert!((over_white(channel) - f32::from(scale.rgb(score)[channel])).abs() < 1.5, "the text's scale");
        }
    }
}

#[test]
fn svg_and_page_show_the_picture_and_say_every_number() {
    let document = sample::scene();
    for text in [svg(&document), html(&document).unwrap()] {
        assert_eq!(data_after(&text, "id=\"picture-1\""), document.pictures[0].bytes);
        let titles = text.matches("<title>image 1, row ").count();
        assert_eq!(titles, 64);
        let label = "aria-label=\"Map of image 1, scene.png, 64 × 64 pixels; strongest: row 3, column 6, +";
        assert!(text.contains(label), "{text}");
        assert!(!text.contains("&lt;image&gt;"), "positions of pictures are no text");
    }
    let page = html(&document).unwrap();
    assert!(page.contains("<span class=\"marker\">[image 1]</span>"));
    assert!(page.contains("img-src data:;"));
    assert!(page.contains("the text and of the pictures was damped"));
}

#[test]
fn a_document_without_the_files_still_has_its_maps() {
    let document: Document = serde_json::from_str(&sample::scene().to_json().unwrap()).unwrap();
    for text in [svg(&document), html(&document).unwrap()] {
        assert!(text.contains("strongest: row 3, column 6"));
        assert!(!text.contains("id=\"picture-1\"") && !text.contains("#picture-1"));
        assert_eq!(text.matches("data:image/").count(), 1, "the tint alone");
    }
}

/// Tags that are open after each other as XML has them.
fn is_well_formed(text: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        let Some((tag, after)) = after.split_once('>') else { return false };
        rest = after;
        let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap();
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) if open.pop() != Some(name) => return false,
            (false, false) => open.push(name),
            _ => {}
        }
        if tag.matches('"').count() % 2 == 1 {
            return false;
        }
    }
    open.is_empty()
}

#[test]
fn hostile_names_are_text_and_hostile_files_are_not_shown() {
    let document = sample::hostile_pictures();
    let (picture, page) = (svg(&document), html(&document).unwrap());
    assert!(is_well_formed(&picture), "{picture}");
    assert!(!is_well_formed("<a b=\"c><d/></a>") && !is_well_formed("<a><b></a>"));
    for forbidden in ["<script", "onload='", "alert(9)", "alert(10)", "\x1b", "\u{202e}", "svg+xml"] {
        assert!(!picture.contains(forbidden), "{forbidden} is in {picture}");
    }
    assert_eq!(page.matches("<script").count(), 2, "the data and the page's own");
    for forbidden in ["onload='", "alert(9)", "alert(10)", "\x1b", "svg+xml"] {
        let data = page.split_once("<script").unwrap().0;
        assert!(!data.contains(forbidden), "{forbidden} is in {page}");
    }
    for color in [ColorDepth::None, ColorDepth::TrueColor] {
        let text = terminal(&document, TerminalStyle { color, width: 80, sinks: false });
        assert!(text.contains("</title></svg>") && !text.contains("\x1b[31m"), "{text}");
    }
    let table = report::csv(&document).unwrap();
    assert!(table.contains("'=image</title>"));
}

#[test]
fn the_table_says_where_in_which_picture() {
    let table = report::csv(&sample::hostile_pictures()).unwrap();
    let rows: Vec<csv::StringRecord> =
        csv::ReaderBuilder::new().has_headers(false).from_reader(table.as_bytes()).records().map(Result::unwrap).collect();
    assert_eq!(
        std::iter::once(&rows[0][10]).chain(rows[0].iter().skip(16).take(5)).collect::<Vec<_>>(),
        ["below_noise", "image", "left_px", "top_px", "right_px", "bottom_px"]
    );
    assert_eq!(rows[4].iter().skip(16).take(5).collect::<Vec<_>>(), ["1", "10", "0", "20", "10"]);
    assert_eq!(rows[14].iter().skip(16).take(1).collect::<Vec<_>>(), ["2"]);
    assert_eq!(rows[1].iter().skip(16).take(5).collect::<Vec<_>>(), [""; 5], "text lies in no picture");
}

#[test]
fn terminals_show_pictures_as_grids_and_list_the_strongest_parts_only() {
    let document = sample::scene();
    let plain = terminal(&document, TerminalStyle::default());
    let row = plain.lines().find(|line| line.starts_with("  3 ")).unwrap();
    assert_eq!(row.split_whitespace().count(), 9, "{row}");
    assert!(plain.contains("strongest: row 3, column 6, +"));
    assert_eq!(plain.matches("\"image 1, row ").count(), 8, "{plain}");
    assert!(plain.contains("Of 64 parts of pictures, the 8 strongest are listed."));
    assert!(plain.contains("[image 1]<fake_token") && !plain.contains("<image>"), "{plain}");
    assert!(plain.contains("and 64 of the picture, each a patch"));

    let narrow = terminal(&document, TerminalStyle { width: 30, ..TerminalStyle::default() });
    let row = narrow.lines().find(|line| line.starts_with("  3 ")).unwrap();
    assert!(row.contains("++") && row.len() <= 20, "{row:?}");

    let colored = terminal(&document, TerminalStyle { color: ColorDepth::TrueColor, width: 80, sinks: false });
    let scale = Scale::of(&document);
    let [r, g, b] = scale.rgb_on(scale.limit, [28; 3]);
    assert!(colored.contains(&format!("48;2;{r};{g};{b}m  ")), "the strongest part is in full colour");
    let listed = colored.lines().skip_while(|line| !line.contains("Strongest units")).filter(|line| line.contains('"')).count();
    assert_eq!(listed, 8, "text and pictures share one list");
}

#[test]
fn without_pictures_nothing_of_them_is_there() {
    for document in [sample::full(), sample::chat(), sample::hostile()] {
        for format in [Format::Html, Format::Svg, Format::Csv, Format::Terminal] {
            let text = format.write(&document, TerminalStyle::default()).unwrap();
            let without_data = text.split("<script type=\"application/json\"").next().unwrap();
            for part in ["icture", "img-src", "data:", "<image", "left_px", "marker", "{{divided"] {
                assert!(!without_data.contains(part), "{part} is in {without_data}");
            }
            assert!(!text.contains("showPictures"));
        }
    }
}
