//! Reads the numbers of passed, failed and skipped tests from the output of test runners.

use std::{fmt, sync::LazyLock};

use regex::Regex;

/// The numbers of tests by their outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) skipped: u32,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    pub(crate) fn ran(self) -> u32 {
        self.passed + self.failed
    }

    /// Adds up the lines of stages in the output of `cargo xtask test`.
    pub(crate) fn read_stages(output: &str) -> Self {
        static STAGE: LazyLock<Regex> =
            LazyLock::new(|| pattern(r"(?m)^\S+ +(\d+) passed, (\d+) failed, (\d+) skipped \("));
        let mut counts = Self::default();
        for found in STAGE.captures_iter(output) {
            let (_, numbers) = found.extract();
            let [passed, failed, skipped] = numbers.map(|text| text.parse().unwrap_or(0));
            counts.add(Self { passed, failed, skipped });
        }
        counts
    }

    /// Adds up every summary in the output of cargo, of wasm-bindgen's runner and of `node --test` (TAP or spec).
    pub(crate) fn read(output: &str) -> Self {
        static COLOUR: LazyLock<Regex> = LazyLock::new(|| pattern(r"\x1b\[[0-9;]*m"));
        static CARGO: LazyLock<Regex> =
            LazyLock::new(|| pattern(r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored"));
        static NODE: LazyLock<Regex> =
            LazyLock::new(|| pattern(r"(?m)^(?:#|ℹ) (pass|fail|cancelled|skipped|todo) (\d+)\s*$"));

        let output = COLOUR.replace_all(output, "");
        let number = |text: &str| text.parse().unwrap_or(0);
        let mut counts = Self::default();
        for found in CARGO.captures_iter(&output) {
            let (_, [passed, failed, skipped]) = found.extract();
            counts.add(Self { passed: number(passed), failed: number(failed), skipped: number(skipped) });
        }
        for found in NODE.captures_iter(&output) {
            let (_, [what, count]) = found.extract();
            match what {
                "pass" => counts.passed += number(count),
                "fail" | "cancelled" => counts.failed += number(count),
                _ => counts.skipped += number(count),
            }
        }
        counts
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, skipped } = self;
        write!(formatter, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns above are valid")
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn the_summaries_of_cargo_and_of_wasm_bindgens_runner_add_up() {
        let output = "running 3 tests\ntest result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\
                      \x1b[1mtest result: \x1b[31mFAILED\x1b[0m. 5 passed; 2 failed; 0 ignored; 0 filtered out\n";
        assert_eq!(Counts::read(output), Counts { passed: 8, failed: 2, skipped: 1 });
    }

    #[test]
    fn the_summaries_of_node_are_read_in_both_formats() {
        let tap = "ok 1 - pass 7\n# tests 12\n# pass 8\n# fail 1\n# cancelled 1\n# skipped 2\n# todo 0\n";
        assert_eq!(Counts::read(tap), Counts { passed: 8, failed: 2, skipped: 2 });
        let spec = "\x1b[34mℹ tests 4\x1b[39m\n\x1b[34mℹ pass 4\x1b[39m\n\x1b[34mℹ fail 0\x1b[39m\n";
        assert_eq!(Counts::read(spec), Counts { passed: 4, failed: 0, skipped: 0 });
    }

    #[test]
    fn the_lines_of_stages_add_up_and_their_sum_does_not_count() {
        let output = "schedules: 100000 schedules, 0 failed\n\
                      schedules        2 passed, 0 failed, 0 skipped (251.0 s)\n\
                      wasm-node        42 passed, 1 failed, 3 skipped (43.2 s)\n44 passed, 1 failed\n";
        assert_eq!(Counts::read_stages(output), Counts { passed: 44, failed: 1, skipped: 3 });
    }

    #[test]
    fn output_without_a_summary_counts_as_nothing() {
        assert_eq!(Counts::read("no tests to run!").ran(), 0);
    }
}
