//! Numbers as people read them.

use atman::{Postprocessing, Score};

/// What scores are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    score: Score,
    postprocessing: Postprocessing,
}

impl Measure {
    /// Of scores and what was done to them.
    pub fn new(score: Score, postprocessing: Postprocessing) -> Measure {
        Measure { score, postprocessing }
    }

    /// Its name; empty for shares, which have none.
    pub fn name(self) -> String {
        match self.postprocessing {
            Postprocessing::None | Postprocessing::Absolute => self.score.unit().to_owned(),
            Postprocessing::Square => format!("{}²", self.score.unit()),
            Postprocessing::MinMax => String::new(),
        }
    }

    /// A number of it without a sign: `1.5 nats`.
    pub fn of(self, size: f32) -> String {
        format!("{} {}", short(size), self.name()).trim_end().to_owned()
    }
}

/// Scores smaller than this, sign aside, are zero where they are told with their signs.
pub const ROUNDS_TO_ZERO: f32 = 0.000_5;

/// A score, or a log-probability, with its sign, so that columns of them align. What rounds to zero has no sign: it is on neither side.
pub fn signed(score: f32) -> String {
    if score.abs() < ROUNDS_TO_ZERO { "0.000".to_owned() } else { format!("{score:+.3}") }
}

/// A number in as few digits as tell it: two or three that count, no exponent where people need none.
pub fn short(value: f32) -> String {
    let size = value.abs();
    match size {
        0.0 => "0".to_owned(),
        _ if size >= 100.0 => format!("{value:.0}"),
        _ if size >= 10.0 => format!("{value:.1}"),
        _ if size >= 0.1 => format!("{value:.2}"),
        _ if size >= 0.01 => format!("{value:.3}"),
        _ if size >= 0.001 => format!("{value:.4}"),
        _ if size >= 0.000_1 => format!("{value:.5}"),
        _ => format!("{value:.1e}"),
    }
}

/// A probability; one that rounds to nothing is told as a bound.
pub fn probability(value: f32) -> String {
    if value > 0.0 && value < 0.005 { "less than 0.01".to_owned() } else { format!("{value:.2}") }
}

/// A count of bytes in decimal units.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let mut value = count as f64;
    let mut name = "bytes";
    for next in UNITS {
        if value < 999.95 {
            break;
        }
        value /= 1000.0;
        name = next;
    }
    if name == "bytes" { format!("{count} bytes") } else { format!("{value:.1} {name}") }
}

/// A time still to pass, no more exact than it is known.
pub fn time_left(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => "less than 1 s".to_owned(),
        s if s < 20.0 => format!("about {s:.0} s"),
        s if s < 120.0 => format!("about {:.0} s", (s / 10.0).round() * 10.0),
        s => format!("about {:.0} min", s / 60.0),
    }
}

/// A duration.
pub fn seconds(value: f64) -> String {
    if value < 60.0 {
        format!("{} s", short(value as f32))
    } else {
        format!("{:.0} min {:.0} s", (value / 60.0).floor(), value % 60.0)
    }
}

/// A number and what is counted: `1 unit`, `2 units`.
pub fn count(number: usize, name: &str) -> String {
    if number == 1 { format!("1 {name}") } else { format!("{number} {name}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_keep_two_digits_that_count() {
        let all = [0.0, 1.518, 0.0312, 0.000_15, 0.000_02, -2.0, 123.4].map(short);
        assert_eq!(all, ["0", "1.52", "0.031", "0.00015", "2.0e-5", "-2.00", "123"]);
    }

    #[test]
    fn what_rounds_to_zero_has_no_sign() {
        assert_eq!([-0.0004, 0.0, 0.000_499_9, -0.000_5, 1.5].map(signed), ["0.000", "0.000", "0.000", "-0.001", "+1.500"]);
    }

    #[test]
    fn a_sure_answer_s_log_probability_has_no_sign() {
        assert_eq!([-0.000_1, 0.0, -0.634].map(signed), ["0.000", "0.000", "-0.634"]);
    }

    #[test]
    fn a_probability_that_is_not_nothing_is_not_told_as_nothing() {
        assert_eq!([0.0, 0.001, 0.53].map(probability), ["0.00", "less than 0.01", "0.53"]);
    }

    #[test]
    fn squares_are_of_squared_units_and_shares_of_none() {
        assert_eq!(Measure::new(Score::CrossEntropy, Postprocessing::Square).of(1.5), "1.50 nats²");
        assert_eq!(Measure::new(Score::Logit, Postprocessing::MinMax).of(1.0), "1.00");
    }

    #[test]
    fn bytes_are_stated_in_decimal_units() {
        assert_eq!([999, 1_000, 98_362_432, 999_960_000].map(bytes), ["999 bytes", "1.0 kB", "98.4 MB", "1.0 GB"]);
    }
}
