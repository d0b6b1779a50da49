//! Numbers, bytes and foreign text as people read them.

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
