//! Bar charts of the results, one SVG file for each metric.

use crate::results::{Metric, Results, figure};
use anyhow::Result;
use std::{fmt::Write as _, fs, path::Path};

const WIDTH: f64 = 760.0;
const LABELS: f64 = 230.0;
const ROW: f64 = 26.0;
const TOP: f64 = 56.0;

/// Writes a chart of every metric that has values of several servers.
pub(crate) fn write(results: &Results, folder: &Path) -> Result<()> {
    for (metric, servers) in results.metrics().filter(|(_, servers)| servers.len() > 1) {
        let bars: Vec<_> = servers
            .iter()
            .map(|(subject, spread)| (subject.name.as_str(), spread.min, spread.median, spread.max))
            .collect();
        fs::write(folder.join(file_name(metric.scenario, &metric.name)), chart(metric, &bars))?;
    }
    Ok(())
}

/// Returns the name of the file with the chart of a quantity.
pub(crate) fn file_name(scenario: &str, quantity: &str) -> String {
    let text = format!("{scenario} {quantity}").to_lowercase().replace('×', "x").replace('µ', "u");
    let words: Vec<&str> =
        text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    format!("{}.svg", words.join("-"))
}

fn chart(metric: &Metric, bars: &[(&str, f64, f64, f64)]) -> String {
    let Metric { scenario, name, unit } = metric;
    let max = bars.iter().map(|(_, _, _, max)| *max).fold(f64::MIN_POSITIVE, f64::max);
    let scale = (WIDTH - LABELS - 90.0) / max;
    let height = TOP + ROW * bars.len() as f64 + 12.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"22\" font-size=\"15\" font-weight=\"bold\">{scenario}</text>\n\
         <text x=\"12\" y=\"42\" fill=\"#555\">{name} ({unit}): median, with the minimum and the maximum of all runs</text>\n"
    );
    for (row, (server, min, median, max)) in bars.iter().enumerate() {
        let y = TOP + ROW * row as f64;
        let colour = if server.starts_with("Sealwire") {
            "#1868db"
        } else if server.starts_with("limit") {
            "#8f8f8f"
        } else {
            "#f5a623"
        };
        let (left, right, end) = (LABELS + min * scale, LABELS + max * scale, LABELS + median * scale);
        let (middle, text) = (y + ROW / 2.0, y + ROW / 2.0 + 4.5);
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{text:.1}\" text-anchor=\"end\">{server}</text>\n\
             <rect x=\"{LABELS}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{colour}\"/>\n\
             <path d=\"M{left:.1} {middle:.1}H{right:.1}\" stroke=\"#000\" stroke-width=\"1.5\"/>\n\
             <text x=\"{:.1}\" y=\"{text:.1}\">{}</text>\n",
            LABELS - 8.0,
            y + 4.0,
            (end - LABELS).max(1.0),
            ROW - 8.0,
            right.max(end) + 6.0,
            figure(*median),
        );
    }
    svg.push_str("</svg>\n");
    svg
}
