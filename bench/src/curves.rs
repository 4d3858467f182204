//! Curves: quantities that were measured for several values of a variable, such as the CPU time by the number of channels.

use crate::{
    plots::file_name,
    results::{Spread, Subject, figure},
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 180.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 44.0;
const COLOURS: [&str; 4] = ["#1868db", "#f5a623", "#8f8f8f", "#22a06b"];

/// A quantity as a function of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Curve {
    pub(crate) scenario: &'static str,
    pub(crate) quantity: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) variable: &'static str,
}

/// The values of each subject by the variable, one for each run.
type Points = BTreeMap<Subject, BTreeMap<u32, Vec<f64>>>;

#[derive(Default)]
pub(crate) struct Curves(BTreeMap<Curve, Points>);

#[derive(Serialize)]
struct Point<'a> {
    scenario: &'a str,
    metric: &'a str,
    unit: &'a str,
    variable: &'a str,
    at: u32,
    server: &'a str,
    median: f64,
    min: f64,
    max: f64,
}

impl Curves {
    pub(crate) fn add(&mut self, curve: Curve, subject: Subject, at: u32, value: f64) {
        self.0.entry(curve).or_default().entry(subject).or_default().entry(at).or_default().push(value);
    }

    /// Formats the curves in Markdown: a table for each of them, with a row for each value of the variable.
    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        for (curve, points) in &self.0 {
            let Curve { scenario, quantity, unit, variable } = curve;
            let names: Vec<_> = points.keys().map(|subject| subject.name.as_str()).collect();
            let _ = writeln!(
                text,
                "\n### {scenario}: {quantity} ({unit})\n\n| {variable} | {} |\n|---:|{}",
                names.join(" | "),
                "---:|".repeat(names.len())
            );
            for at in Axes::of(points).values {
                let cell = |values: &BTreeMap<u32, Vec<f64>>| {
                    values.get(&at).map_or_else(|| "–".to_owned(), |runs| figure(Spread::of(runs).median))
                };
                let cells: Vec<_> = points.values().map(cell).collect();
                let _ = writeln!(text, "| {at} | {} |", cells.join(" | "));
            }
        }
        text
    }

    /// Writes `curves.json` and a chart of each curve.
    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let mut all = Vec::new();
        for (curve, points) in &self.0 {
            let Curve { scenario, quantity, unit, variable } = *curve;
            for (subject, values) in points {
                for (at, runs) in values {
                    let Spread { median, min, max } = Spread::of(runs);
                    let server = subject.name.as_str();
                    all.push(Point {
                        scenario,
                        metric: quantity,
                        unit,
                        variable,
                        at: *at,
                        server,
                        median,
                        min,
                        max,
                    });
                }
            }
            fs::write(folder.join(file_name(scenario, quantity)), chart(curve, points))?;
        }
        if !all.is_empty() {
            fs::write(folder.join("curves.json"), serde_json::to_string_pretty(&all)? + "\n")?;
        }
        Ok(())
    }
}

/// Draws a curve: the variable on a logarithmic axis, the quantity on one that begins at 0.
fn chart(curve: &Curve, points: &Points) -> String {
    let Curve { scenario, quantity, unit, variable } = curve;
    let axes = Axes::of(points);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"22\" font-size=\"15\" font-weight=\"bold\">{scenario}</text>\n\
         <text x=\"12\" y=\"42\" fill=\"#555\">{quantity} ({unit}), by {variable}: medians of all runs</text>\n"
    );
    axes.draw(&mut svg);
    for ((subject, values), colour) in points.iter().zip(COLOURS.iter().cycle()) {
        let line: Vec<_> =
            values.iter().map(|(at, runs)| (axes.x(*at), axes.y(Spread::of(runs).median))).collect();
        let path: Vec<_> = line.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        let path = path.join("L");
        let _ = writeln!(svg, "<path d=\"M{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>");
        for (x, y) in &line {
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
        }
        if let Some((x, y)) = line.last() {
            let (x, y, name) = (x + 8.0, y + 4.0, &subject.name);
            let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{colour}\">{name}</text>");
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// The axes of a chart.
struct Axes {
    /// The values of the variable.
    values: Vec<u32>,
    /// The greatest value of the quantity.
    top: f64,
}

impl Axes {
    fn of(points: &Points) -> Self {
        let mut values: Vec<_> = points.values().flat_map(BTreeMap::keys).copied().collect();
        values.sort_unstable();
        values.dedup();
        let runs = points.values().flat_map(BTreeMap::values).flatten();
        Self { values, top: runs.copied().fold(f64::MIN_POSITIVE, f64::max) }
    }

    fn x(&self, value: u32) -> f64 {
        let log = |value: u32| f64::from(value.max(1)).log10();
        let first = self.values.first().map_or(0.0, |value| log(*value));
        let last = self.values.last().map_or(0.0, |value| log(*value));
        LEFT + (log(value) - first) / (last - first).max(1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM)
    }

    fn draw(&self, svg: &mut String) {
        let (base, end, label) = (HEIGHT - BOTTOM, WIDTH - RIGHT, LEFT - 8.0);
        let _ = write!(
            svg,
            "<path d=\"M{LEFT} {TOP}V{base}H{end}\" fill=\"none\" stroke=\"#555\"/>\n\
             <text x=\"{label}\" y=\"{}\" text-anchor=\"end\">{}</text>\n\
             <text x=\"{label}\" y=\"{base}\" text-anchor=\"end\">0</text>\n",
            TOP + 4.0,
            figure(self.top)
        );
        for value in &self.values {
            let (x, y) = (self.x(*value), base + 20.0);
            let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{value}</text>");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURVE: Curve = Curve { scenario: "growth", quantity: "CPU", unit: "s", variable: "channels" };

    #[test]
    fn a_table_has_the_median_of_each_value_and_a_dash_where_nothing_was_measured() {
        let mut curves = Curves::default();
        for (name, at, value) in [("a", 10, 1.0), ("a", 10, 3.0), ("a", 100, 4.0), ("b", 100, 5.0)] {
            curves.add(CURVE, Subject::new(0, name), at, value);
        }
        let expected = "\n### growth: CPU (s)\n\n| channels | a | b |\n|---:|---:|---:|\n| 10 | 2.00 | – |\n| 100 | 4.00 | 5.00 |\n";
        assert_eq!(curves.table(), expected);
    }

    #[test]
    fn a_chart_places_larger_values_higher_and_further_right() {
        let mut curves = Curves::default();
        for (at, value) in [(1, 1.0), (10, 2.0), (100, 4.0)] {
            curves.add(CURVE, Subject::new(0, "a"), at, value);
        }
        let svg = chart(&CURVE, &curves.0[&CURVE]);
        let circles: Vec<(f64, f64)> = svg
            .lines()
            .filter_map(|line| {
                let mut numbers = line.strip_prefix("<circle cx=\"")?.split('"');
                Some((numbers.next()?.parse().ok()?, numbers.nth(1)?.parse().ok()?))
            })
            .collect();
        assert_eq!(circles.len(), 3);
        assert!(circles.is_sorted_by(|left, right| left.0 < right.0 && left.1 > right.1), "{circles:?}");
        // The values double, and the distances of the powers of ten are equal.
        assert!((circles[1].0 - circles[0].0 - (circles[2].0 - circles[1].0)).abs() < 0.2);
    }
}
