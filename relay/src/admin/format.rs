//! The two text formats of metrics, and the negotiation between them (RFC 9110, section 12.5.1).

use std::fmt::Write as _;
use warp::http::{HeaderMap, header};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExpositionFormat {
    /// The text format of Prometheus, version 0.0.4, which every scraper reads.
    Text,
    /// OpenMetrics 1.0, which Prometheus prefers.
    OpenMetrics,
}

impl ExpositionFormat {
    /// Returns the format that a request prefers. The default is the text format, which every scraper reads.
    pub(crate) fn negotiate(headers: &HeaderMap) -> Self {
        let text = Self::Text.preference(headers);
        let open_metrics = Self::OpenMetrics.preference(headers);
        if open_metrics > text { Self::OpenMetrics } else { Self::Text }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The preference of a request for this format; greater is better. It is ordered by weight, then by specificity, then by
    /// position in the request.
    fn preference(self, headers: &HeaderMap) -> Option<(u16, Specificity, isize)> {
        let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
        let ranges = lines.flat_map(|line| line.split(',')).zip(0..);
        let matching = ranges.filter_map(|(range, position)| {
            let (specificity, weight) = self.matches(range)?;
            Some((specificity, weight, -position))
        });
        // The most specific range decides, even if a wider one has a higher weight.
        let (specificity, weight, position) = matching.max()?;
        (weight > 0).then_some((weight, specificity, position))
    }

    /// The specificity with which a media range matches the format, and its weight in thousandths.
    fn matches(self, range: &str) -> Option<(Specificity, u16)> {
        let (name, version) = match self {
            Self::Text => ("text/plain", "0.0.4"),
            Self::OpenMetrics => ("application/openmetrics-text", "1.0.0"),
        };
        let range = range.to_ascii_lowercase();
        let mut parts = range.split(';').map(str::trim);
        let wildcard = format!("{}/*", name.split('/').next().unwrap_or_default());
        let mut specificity = match parts.next()? {
            media_type if media_type == name => Specificity::Name,
            media_type if media_type == wildcard => Specificity::MemoryKind,
            "*/*" => Specificity::Anything,
            _ => return None,
        };
        let mut weight = 1000;
        for parameter in parts {
            match parameter.split_once('=').map(|(name, value)| (name.trim(), value.trim())) {
                Some(("q", value)) => weight = thousandths(value)?,
                Some(("version", value)) if value.trim_matches('"') == version => {
                    specificity = Specificity::Version;
                }
                Some(("version", _)) => return None,
                // The character set and the escaping of names do not matter: all names are plain ASCII.
                _ => {}
            }
        }
        Some((specificity, weight))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Specificity {
    Anything,
    MemoryKind,
    Name,
    Version,
}

fn thousandths(weight: &str) -> Option<u16> {
    let weight: f32 = weight.parse().ok().filter(|weight| (0.0..=1.0).contains(weight))?;
    Some((weight * 1000.0) as u16)
}

/// Converts OpenMetrics to the text format. In OpenMetrics, only the samples of counters and infos have the suffix of their
/// name, and more types exist.
pub(super) fn to_text(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = "";
    for line in open_metrics.lines() {
        if let Some((_, text)) = line.strip_prefix("# HELP ").and_then(|named| named.split_once(' ')) {
            help = text;
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|named| named.split_once(' '))
        {
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                kind => ("", kind),
            };
            let _ = writeln!(text, "# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {kind}");
        } else if !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use warp::http::HeaderValue;

    #[test]
    fn a_scraper_gets_the_format_that_it_prefers() {
        use ExpositionFormat::{OpenMetrics, Text};
        for (accept, expected) in [
            (&[][..], Text),
            (&[""], Text),
            (&["*/*"], Text),
            (&["text/plain"], Text),
            (&["text/plain;version=0.0.4"], Text),
            (&["text/*"], Text),
            (&["application/openmetrics-text"], OpenMetrics),
            (&["Application/OpenMetrics-Text; Version=\"1.0.0\"; charset=utf-8"], OpenMetrics),
            (&["application/openmetrics-text; version=0.0.1"], Text),
            (&["application/openmetrics-text, text/plain"], OpenMetrics),
            (&["text/plain, application/openmetrics-text"], Text),
            (&["text/plain", "application/openmetrics-text;q=0.9"], Text),
            (&["text/plain;q=0.8", "application/openmetrics-text;q=0.9"], OpenMetrics),
            (&["application/openmetrics-text;q=0.001, text/plain;q=0.000"], OpenMetrics),
            (&["application/openmetrics-text;q=0, */*"], Text),
            (&["text/plain;q=0, */*;q=0.1"], OpenMetrics),
            (&["application/*;q=0.5, */*;q=0.4"], OpenMetrics),
            (&["application/openmetrics-text;q=2, text/plain;q=0.1"], Text),
            (&["application/openmetrics-text;q=x, text/plain;q=0.1"], Text),
            (&["image/png"], Text),
            // The headers of Prometheus 2 and 3, VictoriaMetrics and a browser.
            (
                &[
                    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                   text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                ],
                OpenMetrics,
            ),
            (
                &["application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                   application/openmetrics-text;version=0.0.1;q=0.5,\
                   text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"],
                OpenMetrics,
            ),
            (&["text/plain;version=0.0.4;q=1,*/*;q=0.1"], Text),
            (&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], Text),
        ] {
            let mut headers = HeaderMap::new();
            for line in accept {
                headers.append(header::ACCEPT, HeaderValue::from_str(line).unwrap());
            }
            assert_eq!(ExpositionFormat::negotiate(&headers), expected, "{accept:?}");
        }
    }

    #[test]
    fn the_text_format_names_each_metric_as_its_samples_do() {
        let open_metrics = "# HELP a_bytes Some.\n# TYPE a_bytes counter\n# UNIT a_bytes bytes\n\
                            a_bytes_total{x=\"# y\"} 1\na_bytes_total{x=\"z\"} 2\n\
                            # HELP b A gauge.\n# TYPE b gauge\nb 1.5\n\
                            # HELP c Information.\n# TYPE c info\nc_info{version=\"1\"} 1\n\
                            # HELP d A histogram.\n# TYPE d histogram\nd_sum 1\nd_count 1\nd_bucket{le=\"+Inf\"} 1\n\
                            # EOF\n";
        let expected = "# HELP a_bytes_total Some.\n# TYPE a_bytes_total counter\n\
                        a_bytes_total{x=\"# y\"} 1\na_bytes_total{x=\"z\"} 2\n\
                        # HELP b A gauge.\n# TYPE b gauge\nb 1.5\n\
                        # HELP c_info Information.\n# TYPE c_info gauge\nc_info{version=\"1\"} 1\n\
                        # HELP d A histogram.\n# TYPE d histogram\nd_sum 1\nd_count 1\nd_bucket{le=\"+Inf\"} 1\n";
        assert_eq!(to_text(open_metrics), expected);
    }
}
