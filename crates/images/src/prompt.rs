//! The text that stands for a picture in a prompt.

/// Begins and ends a picture, and stands before each tile.
const AROUND_IMAGE: &str = "<fake_token_around_image>";
/// Says that the whole picture follows.
const GLOBAL_IMAGE: &str = "<global-img>";
/// Stands for a picture in a prompt until it is written out, and then where the embedding of each of its positions will.
pub const IMAGE: &str = "<image>";

/// What the family's processor writes in place of `<image>` for a picture of so many rows and columns of tiles (none for one
/// that was not cut), with `n_positions` positions for each tile.
pub fn prompt_text(rows: usize, cols: usize, n_positions: usize) -> String {
    let positions = IMAGE.repeat(n_positions);
    let mut text = String::new();
    for row in 1..=rows {
        for col in 1..=cols {
            text.push_str(&format!("{AROUND_IMAGE}<row_{row}_col_{col}>{positions}"));
        }
        text.push('\n');
    }
    if rows > 0 {
        text.push('\n');
    }
    text.push_str(&format!("{AROUND_IMAGE}{GLOBAL_IMAGE}{positions}{AROUND_IMAGE}"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_picture_and_one_of_tiles() {
        let whole = "<fake_token_around_image><global-img><image><image><fake_token_around_image>";
        assert_eq!(prompt_text(0, 0, 2), whole);
        let tiles = "<fake_token_around_image><row_1_col_1><image><fake_token_around_image><row_1_col_2><image>\n\
                     <fake_token_around_image><row_2_col_1><image><fake_token_around_image><row_2_col_2><image>\n\n\
                     <fake_token_around_image><global-img><image><fake_token_around_image>";
        assert_eq!(prompt_text(2, 2, 1), tiles);
    }
}
