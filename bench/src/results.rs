//! The results: a list of values for each scenario, metric and server.

use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// A measured quantity and its unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Metric {
    pub(crate) scenario: &'static str,
    pub(crate) name: String,
    pub(crate) unit: &'static str,
}

/// The subject of a measurement: a server, or an arrangement of relays and NATS servers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subject {
    /// The place in the tables.
    pub(crate) rank: usize,
    pub(crate) name: String,
}

impl Subject {
    pub(crate) fn new(rank: usize, name: impl Into<String>) -> Self {
        Self { rank, name: name.into() }
    }
}

#[derive(Default)]
pub(crate) struct Results(BTreeMap<Metric, BTreeMap<Subject, Vec<f64>>>);

#[derive(Serialize)]
struct Entry<'a> {
    scenario: &'a str,
    metric: &'a str,
    unit: &'a str,
    server: &'a str,
    median: f64,
    min: f64,
    max: f64,
    runs: &'a [f64],
}

/// The median, the minimum and the maximum of a list of values.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let middle = sorted.len() / 2;
        let median =
            if sorted.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.max(1) - 1), at(middle)) };
        Self { median, min: at(0), max: at(sorted.len().saturating_sub(1)) }
    }
}

impl Spread {
    /// Returns the median, with the minimum and the maximum if they differ. A value without a unit is a count.
    fn text(self, unit: &str) -> String {
        let figure = if unit.is_empty() { |value| format!("{value:.0}") } else { figure };
        let [median, min, max] = [self.median, self.min, self.max].map(figure);
        if min == max { median } else { format!("{median} ({min} to {max})") }
    }
}

fn table_head(text: &mut String, corner: &str, columns: impl Iterator<Item = String>) {
    let columns: Vec<_> = columns.collect();
    let _ = writeln!(text, "| {corner} | {} |\n|---|{}", columns.join(" | "), "---:|".repeat(columns.len()));
}

fn table_row(text: &mut String, label: &str, values: impl Iterator<Item = String>) {
    let _ = writeln!(text, "| {label} | {} |", values.collect::<Vec<_>>().join(" | "));
}

impl Results {
    pub(crate) fn add(
        &mut self,
        scenario: &'static str,
        name: &str,
        unit: &'static str,
        subject: Subject,
        value: f64,
    ) {
        let metric = Metric { scenario, name: name.to_owned(), unit };
        self.0.entry(metric).or_default().entry(subject).or_default().push(value);
    }

    pub(crate) fn metrics(&self) -> impl Iterator<Item = (&Metric, Vec<(&Subject, Spread)>)> {
        self.0.iter().map(|(metric, servers)| {
            (metric, servers.iter().map(|(subject, values)| (subject, Spread::of(values))).collect())
        })
    }

    /// Returns the median of all runs; NaN if nothing was measured.
    pub(crate) fn median(&self, scenario: &str, name: &str, subject: &Subject) -> f64 {
        let found = self.0.iter().find(|(metric, _)| metric.scenario == scenario && metric.name == name);
        found.and_then(|(_, servers)| servers.get(subject)).map_or(f64::NAN, |runs| Spread::of(runs).median)
    }

    /// Formats the results in Markdown: a section for each metric, a row for each server.
    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        for (metric, servers) in self.metrics() {
            let Metric { scenario, name, unit } = metric;
            let _ = writeln!(
                text,
                "\n### {scenario}: {name} ({unit})\n\n| server | median | min | max |\n|---|---:|---:|---:|"
            );
            for (Subject { name, .. }, spread) in servers {
                let Spread { median, min, max } = spread;
                let _ = writeln!(text, "| {name} | {} | {} | {} |", figure(median), figure(min), figure(max));
            }
        }
        text
    }

    /// Formats the results in Markdown: a table for each scenario. The fewer of subjects and metrics are its columns.
    pub(crate) fn summary(&self) -> String {
        let mut text = String::new();
        let mut scenarios: Vec<_> = self.0.keys().map(|metric| metric.scenario).collect();
        scenarios.dedup();
        for scenario in scenarios {
            let metrics: Vec<_> = self.0.iter().filter(|(metric, _)| metric.scenario == scenario).collect();
            let subjects: BTreeSet<_> = metrics.iter().flat_map(|(_, servers)| servers.keys()).collect();
            let label = |metric: &Metric| match metric.unit {
                "" => metric.name.clone(),
                unit => format!("{} ({unit})", metric.name),
            };
            let value = |(metric, servers): (&Metric, &BTreeMap<Subject, Vec<f64>>), subject: &Subject| {
                servers.get(subject).map_or_else(|| "–".into(), |runs| Spread::of(runs).text(metric.unit))
            };
            let _ = writeln!(text, "\n### {scenario}\n");
            if subjects.len() < metrics.len() {
                table_head(&mut text, "measured", subjects.iter().map(|subject| subject.name.clone()));
                for entry in metrics {
                    let values = subjects.iter().map(|subject| value(entry, subject));
                    table_row(&mut text, &label(entry.0), values);
                }
            } else {
                table_head(&mut text, "arrangement", metrics.iter().map(|(metric, _)| label(metric)));
                for subject in subjects {
                    let values = metrics.iter().map(|entry| value(*entry, subject));
                    table_row(&mut text, &subject.name, values);
                }
            }
        }
        text
    }

    pub(crate) fn json(&self) -> serde_json::Result<String> {
        let mut entries = Vec::new();
        for (metric, servers) in &self.0 {
            for (subject, runs) in servers {
                let Spread { median, min, max } = Spread::of(runs);
                let (scenario, unit) = (metric.scenario, metric.unit);
                entries.push(Entry {
                    scenario,
                    metric: &metric.name,
                    unit,
                    server: &subject.name,
                    median,
                    min,
                    max,
                    runs,
                });
            }
        }
        serde_json::to_string_pretty(&entries)
    }
}

/// Formats a number with three significant digits.
pub(crate) fn figure(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_median_minimum_and_maximum() {
        let odd = Spread::of(&[3.0, 1.0, 2.0]);
        assert!(
            (odd.median - 2.0).abs() < 1e-9 && (odd.min - 1.0).abs() < 1e-9 && (odd.max - 3.0).abs() < 1e-9
        );
        assert!((Spread::of(&[1.0, 2.0, 3.0, 4.0]).median - 2.5).abs() < 1e-9);
        assert!(Spread::of(&[]).median.is_nan());
    }

    #[test]
    fn a_summary_has_a_table_for_each_scenario_with_the_spread_of_its_runs() {
        let mut results = Results::default();
        for (name, value) in [("time", 1.0), ("time", 3.0), ("count", 7.0)] {
            results.add("move", name, if name == "time" { "s" } else { "" }, Subject::new(0, "x"), value);
        }
        results.add("leader", "time", "s", Subject::new(0, "x"), 2.0);
        results.add("leader", "time", "s", Subject::new(1, "y"), 4.0);
        let expected = "\n### leader\n\n| arrangement | time (s) |\n|---|---:|\n| x | 2.00 |\n| y | 4.00 |\n\
                        \n### move\n\n| measured | x |\n|---|---:|\n| count | 7 |\n\
                        | time (s) | 2.00 (1.00 to 3.00) |\n";
        assert_eq!(results.summary(), expected);
    }
}
