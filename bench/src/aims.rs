//! The aims of a measurement: each with the measured value, its limit and the result.

use std::fmt::Write as _;

/// One aim.
struct Aim {
    text: String,
    value: f64,
    limit: f64,
    unit: &'static str,
    is_guarantee: bool,
}

impl Aim {
    fn is_reached(&self) -> bool {
        self.value <= self.limit
    }

    fn format(&self, value: f64) -> String {
        let Self { unit, .. } = self;
        let number = if unit.is_empty() { format!("{value:.0}") } else { format!("{value:.2} {unit}") };
        number.replace(".00", "")
    }
}

/// The aims of all scenarios that ran.
#[derive(Default)]
pub(crate) struct Aims(Vec<Aim>);

impl Aims {
    /// Adds an aim that a value is at most `limit`. Of several runs, the worst counts.
    pub(crate) fn at_most(&mut self, text: &str, value: f64, limit: f64, unit: &'static str) {
        self.add(Aim { text: text.into(), value, limit, unit, is_guarantee: false }, f64::max);
    }

    /// Adds an aim for the median of all runs so far, which replaces that of earlier runs.
    pub(crate) fn median_at_most(&mut self, text: &str, median: f64, limit: f64, unit: &'static str) {
        let aim = Aim { text: text.into(), value: median, limit, unit, is_guarantee: false };
        self.add(aim, |_, median| median);
    }

    /// Adds a guarantee: something that never happens.
    pub(crate) fn never(&mut self, text: &str, count: u64) {
        let (value, limit) = (count as f64, 0.0);
        self.add(Aim { text: text.into(), value, limit, unit: "", is_guarantee: true }, f64::max);
    }

    fn add(&mut self, aim: Aim, merge: fn(f64, f64) -> f64) {
        match self.0.iter_mut().find(|known| known.text == aim.text) {
            Some(known) => known.value = merge(known.value, aim.value),
            None => self.0.push(aim),
        }
    }

    /// Returns the guarantees that were broken.
    pub(crate) fn broken(&self) -> Vec<String> {
        let broken = self.0.iter().filter(|aim| aim.is_guarantee && !aim.is_reached());
        broken.map(|aim| format!("{}: {}", aim.text, aim.format(aim.value))).collect()
    }

    /// Formats the aims in Markdown; empty if there are none.
    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        if !self.0.is_empty() {
            text.push_str("\n### Aims\n\n| aim | at most | measured | result |\n|---|---:|---:|---|\n");
        }
        for aim in &self.0 {
            let result = if aim.is_reached() { "reached" } else { "not reached" };
            let (limit, value) = (aim.format(aim.limit), aim.format(aim.value));
            let _ = writeln!(text, "| {} | {limit} | {value} | {result} |", aim.text);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aim_beyond_its_limit_in_the_worst_run_is_not_reached() {
        let mut aims = Aims::default();
        aims.at_most("time", 12.0, 10.0, "s");
        aims.at_most("time", 9.5, 10.0, "s");
        aims.at_most("unmeasured", f64::NAN, 10.0, "s");
        aims.median_at_most("ratio", 1.5, 1.3, "times");
        aims.median_at_most("ratio", 1.25, 1.3, "times");
        let table = aims.table();
        let rows: Vec<_> = table.lines().skip(5).collect();
        let expected = [
            "| time | 10 s | 12 s | not reached |",
            "| unmeasured | 10 s | NaN s | not reached |",
            "| ratio | 1.30 times | 1.25 times | reached |",
        ];
        assert_eq!(rows, expected);
        assert_eq!(aims.broken(), [""; 0]);
    }

    #[test]
    fn a_guarantee_that_one_run_breaks_stays_broken() {
        let mut aims = Aims::default();
        aims.never("messages lost", 2);
        aims.never("messages lost", 0);
        assert_eq!(aims.broken(), ["messages lost: 2"]);
    }
}
