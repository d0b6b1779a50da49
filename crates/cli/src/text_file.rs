//! Text of files as editors and shells write it: with or without a byte order mark, with lines that end either way.

use anyhow::Result;
use std::io::Read;
use std::path::Path;

/// The byte order mark, with which the first line of a text may begin.
pub(crate) const MARK: char = '\u{feff}';

/// The text of a file. Its lines end in `\n`, also where the file ends them as Windows does.
pub(crate) fn read(path: &Path) -> Result<String> {
    text(&std::fs::read(path)?)
}

/// The text of stdin, likewise.
pub(crate) fn read_stdin() -> Result<String> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    text(&bytes)
}

fn text(bytes: &[u8]) -> Result<String> {
    Ok(weights::text::decode(bytes)?.replace("\r\n", "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_line_ends_of_windows_are_no_part_of_a_text() {
        for bytes in [&b"a\nb\n"[..], b"a\r\nb\r\n", b"\xef\xbb\xbfa\r\nb\n"] {
            assert_eq!(text(bytes).unwrap(), "a\nb\n");
        }
        assert_eq!(text(b"a\rb").unwrap(), "a\rb");
        let error = text(b"\xff\xfea\0").unwrap_err().to_string();
        assert!(error.contains("UTF-16, little-endian, expected UTF-8"), "{error}");
    }
}
