//! Numbers, bytes and foreign text as people read them, and text as their programs store it.

/// Why the bytes of a file are no text that is read here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotUtf8 {
    /// Another encoding of Unicode, as some editors and shells write by default.
    #[error("the text is stored as {encoding}, expected UTF-8; save it as UTF-8")]
    Encoding {
        /// Which.
        encoding: &'static str,
    },
    /// Bytes that are no text.
    #[error("byte {offset} is no part of UTF-8 text, expected UTF-8 throughout; save it as UTF-8")]
    Byte {
        /// The first of them.
        offset: usize,
    },
}

/// UTF-8 text without the byte order mark that it may begin with.
///
/// # Errors
/// Where it begins like text in UTF-16 or UTF-32, with or without their marks. Bytes further on are not looked at.
pub fn without_mark(bytes: &[u8]) -> Result<&[u8], NotUtf8> {
    let zeros = bytes.first_chunk::<4>().map(|four| four.map(|byte| byte == 0));
    let encoding = match (bytes, zeros) {
        ([0xef, 0xbb, 0xbf, text @ ..], _) => return Ok(text),
        ([0xff, 0xfe, 0, 0, ..], _) | (_, Some([false, true, true, true])) => "UTF-32, little-endian",
        ([0, 0, 0xfe, 0xff, ..], _) | (_, Some([true, true, true, false])) => "UTF-32, big-endian",
        ([0xff, 0xfe, ..], _) | (_, Some([false, true, false, true])) => "UTF-16, little-endian",
        ([0xfe, 0xff, ..], _) | (_, Some([true, false, true, false])) => "UTF-16, big-endian",
        _ => return Ok(bytes),
    };
    Err(NotUtf8::Encoding { encoding })
}

/// The text of a file: UTF-8, with or without a byte order mark, which is no part of it.
///
/// # Errors
/// When it is no UTF-8.
pub fn decode(bytes: &[u8]) -> Result<&str, NotUtf8> {
    let text = without_mark(bytes)?;
    let mark_bytes = bytes.len() - text.len();
    std::str::from_utf8(text).map_err(|error| NotUtf8::Byte { offset: mark_bytes + error.valid_up_to() })
}

/// A count of bytes in decimal units, as download pages and disks state it: `98.4 MB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if count < 1000 {
        return format!("{count} bytes");
    }
    let mut value = count as f64 / 1000.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        // What would print as `1000.0` reads better as one of the next unit.
        if value < 999.95 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

/// Lower-case hexadecimal digits.
pub fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Text from the network or a tool as one line safe to print: control characters, which could move the cursor or colour
/// the terminal, become spaces, and what exceeds `max_chars` is cut.
pub fn one_line(text: &str, max_chars: usize) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    match clean.char_indices().nth(max_chars) {
        Some((at, _)) => format!("{}…", clean.get(..at).unwrap_or_default()),
        None => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_text_and_other_encodings_are_named() {
        assert_eq!(decode(b"\xef\xbb\xbf{\"a\": 1}"), Ok(r#"{"a": 1}"#));
        assert_eq!(decode("a\u{feff}b".as_bytes()), Ok("a\u{feff}b"));
        assert_eq!((decode(b""), decode(b"\xef\xbb\xbf"), decode(b"a\0b")), (Ok(""), Ok(""), Ok("a\0b")));
        assert_eq!(decode(b"\xef\xbb\xbfab\xff"), Err(NotUtf8::Byte { offset: 5 }));
        let utf16 =
            |mark: &[u8], unit: fn(u16) -> [u8; 2]| [mark, &"{}ab".encode_utf16().flat_map(unit).collect::<Vec<_>>()].concat();
        let utf32 = |unit: fn(u32) -> [u8; 4]| "\u{feff}{}".chars().map(u32::from).flat_map(unit).collect::<Vec<_>>();
        for (bytes, expected) in [
            (utf16(b"\xff\xfe", u16::to_le_bytes), "UTF-16, little-endian"),
            (utf16(b"\xfe\xff", u16::to_be_bytes), "UTF-16, big-endian"),
            (utf16(b"", u16::to_le_bytes), "UTF-16, little-endian"),
            (utf16(b"", u16::to_be_bytes), "UTF-16, big-endian"),
            (utf32(u32::to_le_bytes), "UTF-32, little-endian"),
            (utf32(u32::to_be_bytes), "UTF-32, big-endian"),
        ] {
            let error = decode(&bytes).unwrap_err().to_string();
            assert!(error.starts_with(&format!("the text is stored as {expected}, expected UTF-8")), "{error}");
        }
    }

    #[test]
    fn bytes_are_stated_in_decimal_units() {
        let stated = [0, 999, 1_000, 98_362_432, 999_960_000, 7_500_000_000_000].map(bytes);
        assert_eq!(stated, ["0 bytes", "999 bytes", "1.0 kB", "98.4 MB", "1.0 GB", "7.5 TB"]);
    }

    #[test]
    fn a_line_of_foreign_text_has_no_control_characters_and_no_end_of_line() {
        assert_eq!(one_line("a\x1b[31m\r\n b\tc", 80), "a [31m b c");
        assert_eq!(one_line("ääää", 3), "äää…");
    }
}
