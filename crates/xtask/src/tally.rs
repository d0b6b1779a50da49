//! How many tests passed and failed, read from what the test programs print at their end.

/// Passed and failed tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// The outcome of one check that is no collection of tests.
    pub(crate) fn check(passed: bool) -> Self {
        Self { passed: u64::from(passed), failed: u64::from(!passed) }
    }

    /// The numbers in a test program's output. A program that failed without naming a failed test counts as one failure:
    /// it did not compile, or died.
    pub(crate) fn of(succeeded: bool, output: &str) -> Self {
        let mut tally = output.lines().filter_map(of_line).fold(Self::default(), |sum, line| sum.and(line));
        if !succeeded && tally.failed == 0 {
            tally.failed = 1;
        }
        tally
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

/// One line of a summary: of nextest (`Summary [ 1s] 3 tests run: 2 passed, 1 failed, 1 skipped`), of cargo test
/// (`test result: ok. 3 passed; 0 failed; ...`), or of node (`ℹ pass 3`, `ℹ fail 1`).
fn of_line(line: &str) -> Option<Tally> {
    // Not `test result:` further in: nextest shows a failed program's output so, beside its own summary.
    if line.trim_start().starts_with("Summary [") || line.starts_with("test result: ") {
        let words: Vec<&str> = line.split([' ', ',', ';', ':']).filter(|word| !word.is_empty()).collect();
        let before = |wanted: &[&str]| -> u64 {
            words.windows(2).filter(|pair| wanted.contains(&pair[1])).filter_map(|pair| pair[0].parse::<u64>().ok()).sum()
        };
        return Some(Tally { passed: before(&["passed"]), failed: before(&["failed", "exec failed", "timed"]) });
    }
    let mut words = line.trim_end().strip_prefix("ℹ ")?.split(' ');
    match (words.next()?, words.next()?.parse().ok()?, words.next()) {
        ("pass", passed, None) => Some(Tally { passed, failed: 0 }),
        ("fail", failed, None) => Some(Tally { passed: 0, failed }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_summary_of_nextest() {
        let text = "        PASS [   0.012s] a b\n     Summary [   1.234s] 45 tests run: 42 passed (1 slow), 2 failed, 1 timed out, 2 skipped\n";
        assert_eq!(Tally::of(false, text), Tally { passed: 42, failed: 3 });
    }

    #[test]
    fn a_failed_test_s_own_output_is_not_counted_beside_the_summary() {
        let text = "  stdout ───\n    test result: FAILED. 0 passed; 1 failed; 0 ignored\n     Summary [ 2s] 2 tests run: 1 passed, 1 failed\n";
        assert_eq!(Tally::of(false, text), Tally { passed: 1, failed: 1 });
    }

    #[test]
    fn adds_up_the_programs_of_cargo_test() {
        let line = |passed, failed| {
            format!("test result: ok. {passed} passed; {failed} failed; 1 ignored; 0 measured; 0 filtered out\n")
        };
        assert_eq!(Tally::of(false, &(line(3, 0) + &line(4, 1))), Tally { passed: 7, failed: 1 });
    }

    #[test]
    fn reads_the_summary_of_node() {
        assert_eq!(Tally::of(true, "ℹ tests 4\nℹ pass 4\nℹ fail 0\nℹ cancelled 0\n"), Tally { passed: 4, failed: 0 });
    }

    #[test]
    fn a_program_that_failed_without_a_summary_is_one_failure() {
        assert_eq!(Tally::of(false, "error: could not compile"), Tally { passed: 0, failed: 1 });
    }
}
