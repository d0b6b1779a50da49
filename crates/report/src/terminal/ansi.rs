//! Colours and weights of text in a terminal (ECMA-48).

use crate::scale::Rgb;

/// The colours of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorDepth {
    /// No escape sequences at all.
    None,
    /// The 256 indexed colours.
    Ansi256,
    /// 24-bit colours.
    TrueColor,
}

/// How a stretch of text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) foreground: Option<Rgb>,
    pub(super) background: Option<Rgb>,
    pub(super) bold: bool,
    pub(super) dim: bool,
    pub(super) underlined: bool,
}

impl ColorDepth {
    /// Text in a look, and the terminal's own look after it.
    pub(super) fn paint(self, text: &str, look: Look) -> String {
        let mut codes: Vec<String> = Vec::new();
        for (wanted, code) in [(look.bold, "1"), (look.dim, "2"), (look.underlined, "4")] {
            if wanted {
                codes.push(code.to_owned());
            }
        }
        codes.extend(look.foreground.map(|color| self.color(38, color)));
        codes.extend(look.background.map(|color| self.color(48, color)));
        if self == ColorDepth::None || codes.is_empty() || text.is_empty() {
            return text.to_owned();
        }
        format!("\x1b[{}m{text}\x1b[0m", codes.join(";"))
    }

    /// The colour that the terminal shows for the one asked for.
    pub(super) fn shown(self, color: Rgb) -> Rgb {
        if self == ColorDepth::Ansi256 { indexed(color).1 } else { color }
    }

    fn color(self, layer: u8, color: Rgb) -> String {
        let [r, g, b] = color;
        if self == ColorDepth::Ansi256 { format!("{layer};5;{}", indexed(color).0) } else { format!("{layer};2;{r};{g};{b}") }
    }
}

/// The nearest of the 216 colours and 24 greys that terminals agree on, and what it looks like.
fn indexed(color: Rgb) -> (u8, Rgb) {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let level = |channel: u8| {
        let distance = |(_, level): &(u8, u8)| level.abs_diff(channel);
        (0..).zip(LEVELS).min_by_key(distance).unwrap_or_default()
    };
    let [(r, red), (g, green), (b, blue)] = color.map(level);
    let cube = (16 + 36 * r + 6 * g + b, [red, green, blue]);
    let greys = (0..24).map(|step| (232 + step, [8 + 10 * step; 3]));
    let distance = |(_, [r, g, b]): &(u8, Rgb)| {
        let [wanted_r, wanted_g, wanted_b] = color;
        let square = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
        square(*r, wanted_r) + square(*g, wanted_g) + square(*b, wanted_b)
    };
    greys.chain([cube]).min_by_key(distance).unwrap_or(cube)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexed_colours_are_the_nearest() {
        assert_eq!(indexed([255, 0, 0]), (196, [255, 0, 0]));
        assert_eq!(indexed([28, 28, 28]), (234, [28; 3]));
        assert_eq!(indexed([0, 0, 0]).1, [0; 3]);
    }

    #[test]
    fn without_colours_there_are_no_escape_sequences() {
        let look = Look { bold: true, background: Some([1, 2, 3]), ..Look::default() };
        assert_eq!(ColorDepth::None.paint("x", look), "x");
        assert_eq!(ColorDepth::TrueColor.paint("x", look), "\x1b[1;48;2;1;2;3mx\x1b[0m");
        assert_eq!(ColorDepth::Ansi256.paint("x", look), "\x1b[1;48;5;16mx\x1b[0m");
        assert_eq!(ColorDepth::TrueColor.paint("x", Look::default()), "x");
    }
}
