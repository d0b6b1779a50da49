//! Text in lines of cells, as terminals and monospaced fonts have them.

use crate::clean::clean;
use crate::pieces::Piece;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Cells from one tab stop to the next.
const TAB: usize = 4;

/// A stretch of one piece on one line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) text: String,
    /// Which piece it is of.
    pub(crate) piece: usize,
    /// How many cells it takes: two for each wide character.
    pub(crate) cells: usize,
}

/// What a reader sees as one character.
#[derive(Debug)]
struct Character {
    text: String,
    piece: usize,
    cells: usize,
    is_space: bool,
    /// Whether a line may break after it.
    ends: bool,
}

/// Pieces of text wrapped into lines of at most `width` cells, at spaces where there are any. Its own line ends stay; a space
/// where a line breaks is not shown.
pub(crate) fn lines(pieces: &[Piece], width: usize) -> Vec<Vec<Run>> {
    let width = width.max(2);
    let mut lines = Vec::new();
    let mut line = Line::default();
    for (piece, of) in pieces.iter().enumerate() {
        let beside_picture = of.picture || pieces.get(piece + 1).is_some_and(|next| next.picture);
        let clean = clean(&of.text);
        let mut graphemes = clean.graphemes(true).peekable();
        while let Some(text) = graphemes.next() {
            if text == "\n" {
                lines.push(std::mem::take(&mut line).runs());
                continue;
            }
            let mut character = line.character(text, piece);
            // What stands for a picture is not divided.
            if of.picture {
                (character.is_space, character.ends) = (false, false);
            }
            character.ends |= beside_picture && graphemes.peek().is_none();
            if line.cells + character.cells > width && !line.characters.is_empty() {
                let rest = if character.is_space { Line::default() } else { line.split() };
                lines.push(std::mem::replace(&mut line, rest).wrapped().runs());
                if character.is_space {
                    continue;
                }
            }
            line.push(character);
        }
    }
    // A line end at the very end begins no line that is worth showing.
    if !line.characters.is_empty() || lines.is_empty() {
        lines.push(line.runs());
    }
    lines
}

#[derive(Debug, Default)]
struct Line {
    characters: Vec<Character>,
    cells: usize,
}

impl Line {
    fn character(&self, text: &str, piece: usize) -> Character {
        if text == "\t" {
            let cells = TAB - self.cells % TAB;
            return Character { text: " ".repeat(cells), piece, cells, is_space: true, ends: true };
        }
        let (cells, is_space) = (text.width(), text.chars().all(char::is_whitespace));
        Character { text: text.to_owned(), piece, cells, is_space, ends: is_space || cells == 2 }
    }

    fn push(&mut self, character: Character) {
        self.cells += character.cells;
        self.characters.push(character);
    }

    /// Takes what must go to the next line off the end: all after the last place where a line may break.
    fn split(&mut self) -> Line {
        let at = self.characters.iter().rposition(|character| character.ends).map_or(self.characters.len(), |at| at + 1);
        let characters = self.characters.split_off(at);
        let cells = characters.iter().map(|character| character.cells).sum();
        self.cells -= cells;
        Line { characters, cells }
    }

    fn wrapped(mut self) -> Line {
        while self.characters.last().is_some_and(|last| last.is_space) {
            self.characters.pop();
        }
        self
    }

    fn runs(self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for character in self.characters {
            match runs.last_mut() {
                Some(run) if run.piece == character.piece => {
                    run.text.push_str(&character.text);
                    run.cells += character.cells;
                }
                _ => runs.push(Run { text: character.text, piece: character.piece, cells: character.cells }),
            }
        }
        runs
    }
}

/// A line of text cut to `width` cells, with an ellipsis for what is missing.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut cells = 0;
    for character in text.graphemes(true) {
        cells += character.width();
        if cells + 1 > width {
            break;
        }
        kept.push_str(character);
    }
    kept + "…"
}

/// A line of text filled up to `width` cells.
pub(crate) fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(texts: &[&str], width: usize) -> Vec<String> {
        let piece = |text: &&str| Piece { text: (*text).to_owned(), ..Piece::default() };
        let pieces: Vec<Piece> = texts.iter().map(piece).collect();
        lines(&pieces, width).iter().map(|line| line.iter().map(|run| run.text.as_str()).collect::<Vec<_>>().join("|")).collect()
    }

    #[test]
    fn lines_break_at_spaces_and_keep_their_own_ends() {
        assert_eq!(wrapped(&["The capital", " of", " France"], 12), ["The capital", "of| France"]);
        assert_eq!(wrapped(&["abc", " def ", "gh"], 7), ["abc| def", "gh"]);
        assert_eq!(wrapped(&["a\n\n b"], 12), ["a", "", " b"]);
        assert_eq!(wrapped(&["a\n"], 12), ["a"]);
        assert_eq!(wrapped(&["abcdefgh"], 3), ["abc", "def", "gh"]);
    }

    #[test]
    fn what_stands_for_a_picture_is_not_divided() {
        let piece = |text: &str, picture| Piece { text: text.to_owned(), picture, ..Piece::default() };
        let pieces = [piece("<a>", false), piece("[image 1]", true), piece("<b>", false)];
        let lines = lines(&pieces, 10);
        let lines: Vec<String> = lines.iter().map(|line| line.iter().map(|run| run.text.as_str()).collect()).collect();
        assert_eq!(lines, ["<a>", "[image 1]", "<b>"]);
    }

    #[test]
    fn wide_characters_take_two_cells_and_break_anywhere() {
        assert_eq!(wrapped(&["日本語の文"], 5), ["日本", "語の", "文"]);
        assert_eq!(lines(&[], 5), [vec![]]);
    }

    #[test]
    fn tabs_reach_to_the_next_stop() {
        assert_eq!(wrapped(&["a\tb"], 20), ["a   b"]);
    }

    #[test]
    fn what_is_cut_says_so_and_never_splits_a_character() {
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        assert_eq!((cut("abc", 3).as_str(), padded("日", 4).as_str()), ("abc", "日  "));
    }
}
