//! The results: a list of values for each scenario, metric and server.

use crate::servers::Kind;
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write as _};

/// A measured quantity and its unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Metric {
    pub(crate) scenario: &'static str,
    pub(crate) name: String,
    pub(crate) unit: &'static str,
}

#[derive(Default)]
pub(crate) struct Results(BTreeMap<Metric, BTreeMap<Kind, Vec<f64>>>);

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

impl Results {
    pub(crate) fn add(
        &mut self,
        scenario: &'static str,
        name: &str,
        unit: &'static str,
        kind: Kind,
        value: f64,
    ) {
        let metric = Metric { scenario, name: name.to_owned(), unit };
        self.0.entry(metric).or_default().entry(kind).or_default().push(value);
    }

    pub(crate) fn metrics(&self) -> impl Iterator<Item = (&Metric, Vec<(Kind, Spread)>)> {
        self.0.iter().map(|(metric, servers)| {
            (metric, servers.iter().map(|(kind, values)| (*kind, Spread::of(values))).collect())
        })
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
            for (kind, spread) in servers {
                let Spread { median, min, max } = spread;
                let name = kind.name();
                let _ = writeln!(text, "| {name} | {} | {} | {} |", figure(median), figure(min), figure(max));
            }
        }
        text
    }

    pub(crate) fn json(&self) -> serde_json::Result<String> {
        let mut entries = Vec::new();
        for (metric, servers) in &self.0 {
            for (kind, runs) in servers {
                let Spread { median, min, max } = Spread::of(runs);
                let (scenario, unit) = (metric.scenario, metric.unit);
                entries.push(Entry {
                    scenario,
                    metric: &metric.name,
                    unit,
                    server: kind.name(),
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
}
