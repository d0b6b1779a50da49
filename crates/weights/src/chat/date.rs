//! Dates for templates.

/// The current moment in UTC, as Python's `strftime` writes it.
pub(super) fn strftime_now(format: &str) -> String {
    let since_epoch = web_time::SystemTime::now().duration_since(web_time::UNIX_EPOCH).unwrap_or_default();
    strftime(format, since_epoch.as_secs())
}

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A moment in UTC.
struct Moment {
    seconds: u64,
    year: u64,
    /// From 1.
    month: u64,
    /// From 1.
    day: u64,
    /// From 0, a Sunday.
    weekday: u64,
    /// From 1.
    day_of_year: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

impl Moment {
    fn new(seconds: u64) -> Moment {
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = civil_from_days(days);
        Moment {
            seconds,
            year,
            month,
            day,
            // 1 January 1970 was a Thursday.
            weekday: (days + 4) % 7,
            day_of_year: 1 + days.saturating_sub(first_day_of(year)),
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
        }
    }

    /// Week of the year; weeks begin on that day, the first one with the year's first such day.
    fn week_from(&self, first_weekday: u64) -> u64 {
        (self.day_of_year + 6 - (self.weekday + 7 - first_weekday) % 7) / 7
    }

    /// Year and week of ISO 8601: weeks begin on Mondays and belong to the year that has their Thursday.
    fn iso_week(&self) -> (u64, u64) {
        let weeks_in = |year: u64| {
            let first_weekday = (first_day_of(year) + 4) % 7;
            if first_weekday == 4 || first_weekday == 3 && is_leap(year) { 53 } else { 52 }
        };
        match (self.day_of_year + 9 - (self.weekday + 6) % 7) / 7 {
            0 if self.year == 1970 => (1969, 53),
            0 => (self.year - 1, weeks_in(self.year - 1)),
            week if week > weeks_in(self.year) => (self.year + 1, 1),
            week => (self.year, week),
        }
    }
}

/// How a field is written: what stands between the per cent sign and its letter.
#[derive(Default)]
struct Style {
    /// What stands before a short number: nothing, or a character.
    pad: Option<Option<char>>,
    width: Option<usize>,
    upper: bool,
    swap: bool,
}

impl Style {
    /// Reads flags and width; returns them with what follows.
    fn read(directive: &str) -> (Style, &str) {
        let mut style = Style::default();
        let mut rest = directive;
        while let Some(flag) = rest.chars().next().filter(|c| "-_0^#".contains(*c)) {
            match flag {
                '-' => style.pad = Some(None),
                '^' => style.upper = true,
                '#' => style.swap = true,
                pad => style.pad = Some(Some(if pad == '0' { '0' } else { ' ' })),
            }
            rest = rest.get(1..).unwrap_or_default();
        }
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let width: Option<usize> = rest.strip_suffix(after).and_then(|width| width.parse().ok());
        style.width = width.map(|width| width.min(1024));
        // Other numerals and other eras, which the C locale does not have.
        (style, after.strip_prefix(['E', 'O']).filter(|after| !after.is_empty()).unwrap_or(after))
    }
}

/// `strftime` of Python on Linux, in the C locale, for a moment in UTC; directives that are not known stay as they are.
fn strftime(format: &str, seconds: u64) -> String {
    let moment = Moment::new(seconds);
    let mut text = String::new();
    let mut rest = format;
    while let Some((before, directive)) = rest.split_once('%') {
        text.push_str(before);
        let (style, after) = Style::read(directive);
        let letter = after.chars().next();
        match letter.and_then(|letter| field(letter, &moment, &style)) {
            Some(field) => {
                text.push_str(&field);
                rest = after.get(letter.map_or(0, char::len_utf8)..).unwrap_or_default();
            }
            None => {
                text.push('%');
                rest = directive;
            }
        }
    }
    text + rest
}

/// What a directive stands for; `None` for one that is not known.
fn field(letter: char, moment: &Moment, style: &Style) -> Option<String> {
    let month = MONTHS.get(moment.month.saturating_sub(1) as usize).copied().unwrap_or_default();
    let weekday = WEEKDAYS.get(moment.weekday as usize).copied().unwrap_or_default();
    let short = |name: &'static str| name.get(..3).unwrap_or(name);
    let hour12 = (moment.hour + 11) % 12 + 1;
    let number = |value: u64, width: usize, pad: char| {
        let digits = value.to_string();
        let missing = style.width.unwrap_or(width).saturating_sub(digits.len());
        let pad = style.pad.unwrap_or(Some(pad)).into_iter().flat_map(|pad| std::iter::repeat_n(pad, missing));
        Some(pad.chain(digits.chars()).collect())
    };
    let words = |text: &str| {
        let cased = match (style.upper, style.swap, letter) {
            (_, true, 'p') => text.to_lowercase(),
            (false, false, _) => text.to_owned(),
            _ => text.to_uppercase(),
        };
        let missing = style.width.unwrap_or(0).saturating_sub(cased.chars().count());
        let pad = style.pad.flatten().unwrap_or(' ');
        Some(std::iter::repeat_n(pad, missing).chain(cased.chars()).collect())
    };
    let several = |format| words(&strftime(format, moment.seconds));
    match letter {
        'Y' => number(moment.year, 1, '0'),
        'C' => number(moment.year / 100, 2, '0'),
        'y' => number(moment.year % 100, 2, '0'),
        'm' => number(moment.month, 2, '0'),
        'd' => number(moment.day, 2, '0'),
        'e' => number(moment.day, 2, ' '),
        'j' => number(moment.day_of_year, 3, '0'),
        'H' => number(moment.hour, 2, '0'),
        'k' => number(moment.hour, 2, ' '),
        'I' => number(hour12, 2, '0'),
        'l' => number(hour12, 2, ' '),
        'M' => number(moment.minute, 2, '0'),
        'S' => number(moment.second, 2, '0'),
        // Microseconds, which the moment does not have.
        'f' => Some("000000".to_owned()),
        's' => number(moment.seconds, 1, '0'),
        'u' => number((moment.weekday + 6) % 7 + 1, 1, '0'),
        'w' => number(moment.weekday, 1, '0'),
        'U' => number(moment.week_from(0), 2, '0'),
        'W' => number(moment.week_from(1), 2, '0'),
        'V' => number(moment.iso_week().1, 2, '0'),
        'G' => number(moment.iso_week().0, 1, '0'),
        'g' => number(moment.iso_week().0 % 100, 2, '0'),
        'B' => words(month),
        'b' | 'h' => words(short(month)),
        'A' => words(weekday),
        'a' => words(short(weekday)),
        'p' => words(if moment.hour < 12 { "AM" } else { "PM" }),
        'P' => words(if moment.hour < 12 { "am" } else { "pm" }),
        // A date without a time zone has nothing for these.
        'z' | 'Z' => Some(String::new()),
        'F' => several("%Y-%m-%d"),
        'D' | 'x' => several("%m/%d/%y"),
        'T' | 'X' => several("%H:%M:%S"),
        'R' => several("%H:%M"),
        'r' => several("%I:%M:%S %p"),
        'c' => several("%a %b %e %H:%M:%S %Y"),
        'n' => Some("\n".to_owned()),
        't' => Some("\t".to_owned()),
        '%' => Some("%".to_owned()),
        _ => None,
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days from 1 January 1970 to the first day of a year.
fn first_day_of(year: u64) -> u64 {
    let before = year.saturating_sub(1);
    (before * 365 + before / 4 - before / 100 + before / 400).saturating_sub(719_162)
}

/// Year, month and day of a day counted from 1 January 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let z = days.saturating_add(719_468);
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::strftime;

    /// Values of Python's `datetime.strftime` on Linux.
    #[test]
    fn moments_are_written_as_python_does() {
        let format = "%Y %C %y %m %d %e %j %H %k %I %l %M %S %f %s %u %w %U %W %V %G %g %B %b %h %A %a %p %P %z%Z %F %D %x %T %X \
                      %R %r %c %n%t%% %-d %-m %_d %_H %-I %03d %10Y %^a %#p %^B %Ey %Od %q %E %";
        for (seconds, expected) in [
            (
                0,
                "1970 19 70 01 01  1 001 00  0 12 12 00 00 000000 0 4 4 00 00 01 1970 70 January Jan Jan Thursday Thu AM am  \
                 1970-01-01 01/01/70 01/01/70 00:00:00 00:00:00 00:00 12:00:00 AM Thu Jan  1 00:00:00 1970 \n\t% 1 1  1  0 12 001 \
                 0000001970 THU am JANUARY 70 01 %q %E %",
            ),
            (
                951_782_399,
                "2000 20 00 02 28 28 059 23 23 11 11 59 59 000000 951782399 1 1 09 09 09 2000 00 February Feb Feb Monday Mon PM pm  \
                 2000-02-28 02/28/00 02/28/00 23:59:59 23:59:59 23:59 11:59:59 PM Mon Feb 28 23:59:59 2000 \n\t% 28 2 28 23 11 028 \
                 0000002000 MON pm FEBRUARY 00 28 %q %E %",
            ),
            (
                1_735_603_200,
                "2024 20 24 12 31 31 366 00  0 12 12 00 00 000000 1735603200 2 2 52 53 01 2025 25 December Dec Dec Tuesday Tue AM am  \
                 2024-12-31 12/31/24 12/31/24 00:00:00 00:00:00 00:00 12:00:00 AM Tue Dec 31 00:00:00 2024 \n\t% 31 12 31  0 12 031 \
                 0000002024 TUE am DECEMBER 24 31 %q %E %",
            ),
            (
                1_609_459_200,
                "2021 20 21 01 01  1 001 00  0 12 12 00 00 000000 1609459200 5 5 00 00 53 2020 20 January Jan Jan Friday Fri AM am  \
                 2021-01-01 01/01/21 01/01/21 00:00:00 00:00:00 00:00 12:00:00 AM Fri Jan  1 00:00:00 2021 \n\t% 1 1  1  0 12 001 \
                 0000002021 FRI am JANUARY 21 01 %q %E %",
            ),
            (
                1_704_067_199,
                "2023 20 23 12 31 31 365 23 23 11 11 59 59 000000 1704067199 7 0 53 52 52 2023 23 December Dec Dec Sunday Sun PM pm  \
                 2023-12-31 12/31/23 12/31/23 23:59:59 23:59:59 23:59 11:59:59 PM Sun Dec 31 23:59:59 2023 \n\t% 31 12 31 23 11 031 \
                 0000002023 SUN pm DECEMBER 23 31 %q %E %",
            ),
        ] {
            assert_eq!(strftime(format, seconds), expected);
        }
        assert_eq!(strftime("%é %9999999999999d", 0), format!("%é {}01", "0".repeat(1022)));
    }
}
