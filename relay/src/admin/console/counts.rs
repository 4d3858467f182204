//! The counters of a relay over the last minute, from which the console derives rates and latencies.

use crate::{
    http::HttpContext,
    metrics::{Distribution, latency::BOUNDS},
};
use sealwire_protocol::Code;
use serde::Serialize;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The time over which rates are computed.
const RATE_WINDOW: Duration = Duration::from_secs(10);
/// The time over which latencies and the numbers of refusals are computed.
const WINDOW: Duration = Duration::from_secs(60);

/// The counters at one time, since the start of the relay.
#[derive(Clone, Default)]
pub(super) struct Counts {
    opened: u64,
    publications: u64,
    deliveries: u64,
    presence_changes: u64,
    received: u64,
    sent: u64,
    latency: Distribution,
    /// By code, in the order of [`Code::ALL`].
    pub(super) refusals: Vec<u64>,
    pub(super) goodbyes: Vec<u64>,
}

/// The rates of the last 10 seconds, per second.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rates {
    connections_opened: f64,
    publications: f64,
    deliveries: f64,
    presence_changes: f64,
    received_bytes: f64,
    sent_bytes: f64,
    refusals: f64,
}

/// The fan-out latency of the last minute. A quantile is the upper bound of its bucket.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LatencySummary {
    publications: u64,
    /// `None` beyond the largest bound of 10 s.
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
}

impl Counts {
    pub(super) fn read(http: &HttpContext) -> Self {
        let (metrics, fanout) = (&http.metrics, http.connection.fanout.counts());
        Self {
            opened: metrics.connections_opened.total(),
            publications: http.broker.status().counts.publications,
            deliveries: fanout.deliveries,
            presence_changes: http.connection.presences.counts().changes,
            received: metrics.received.total(),
            sent: metrics.sent.total() + fanout.sent,
            latency: fanout.latency,
            refusals: metrics.refusals.iter().map(|(_, count)| count).collect(),
            goodbyes: metrics.goodbyes.iter().map(|(_, count)| count).collect(),
        }
    }
}

/// The counters of the last minute, the oldest first.
#[derive(Default)]
pub(super) struct History(VecDeque<(Instant, Counts)>);

impl History {
    pub(super) fn add(&mut self, now: Instant, counts: Counts) {
        self.0.retain(|(at, _)| now.saturating_duration_since(*at) <= WINDOW);
        self.0.push_back((now, counts));
    }

    pub(super) fn latest(&self) -> Option<&Counts> {
        self.0.back().map(|(_, counts)| counts)
    }

    /// Returns the oldest counters, which are at most a minute old.
    pub(super) fn minute_ago(&self) -> Option<&Counts> {
        self.0.front().map(|(_, counts)| counts)
    }

    /// Returns the rates, or `None` before there are two samples.
    pub(super) fn rates(&self) -> Option<Rates> {
        let (now, latest) = self.0.back()?;
        let recent = |(at, _): &&(Instant, Counts)| now.saturating_duration_since(*at) <= RATE_WINDOW;
        let (then, earlier) = self.0.iter().find(recent)?;
        let seconds = now.saturating_duration_since(*then).as_secs_f64();
        let rate = |count: fn(&Counts) -> u64| count(latest).saturating_sub(count(earlier)) as f64 / seconds;
        (seconds > 0.0).then(|| Rates {
            connections_opened: rate(|counts| counts.opened),
            publications: rate(|counts| counts.publications),
            deliveries: rate(|counts| counts.deliveries),
            presence_changes: rate(|counts| counts.presence_changes),
            received_bytes: rate(|counts| counts.received),
            sent_bytes: rate(|counts| counts.sent),
            refusals: rate(|counts| counts.refusals.iter().sum()),
        })
    }

    /// Returns the latency, or `None` if nothing was published.
    pub(super) fn latency(&self) -> Option<LatencySummary> {
        let (latest, earlier) = (&self.latest()?.latency, &self.minute_ago()?.latency);
        let buckets: Vec<u64> =
            latest.buckets.iter().zip(earlier.buckets).map(|(now, then)| now.saturating_sub(then)).collect();
        let publications: u64 = buckets.iter().sum();
        let quantile = |share: f64| {
            let rank = (publications as f64 * share).ceil() as u64;
            let mut sum = 0;
            let reaches = |count: &u64| {
                sum += count;
                sum >= rank
            };
            let bucket = buckets.iter().position(reaches)?;
            BOUNDS.get(bucket).map(|micros| *micros as f64 / 1000.0)
        };
        (publications > 0).then(|| LatencySummary {
            publications,
            p50_ms: quantile(0.5),
            p99_ms: quantile(0.99),
        })
    }
}

/// The events of one code.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CodeCount {
    pub(super) code: &'static str,
    /// Since the start of the relay.
    pub(super) total: u64,
    pub(super) last_minute: u64,
    /// The advice for operators.
    pub(super) advice: &'static str,
}

/// Returns the codes that occurred, the most frequent of the last minute first.
pub(super) fn by_code(history: &History, counts: fn(&Counts) -> &[u64]) -> Vec<CodeCount> {
    let (Some(latest), Some(earlier)) = (history.latest(), history.minute_ago()) else { return Vec::new() };
    let pairs = counts(latest).iter().zip(counts(earlier));
    let mut all: Vec<CodeCount> = Code::ALL
        .iter()
        .zip(pairs)
        .filter(|(_, (total, _))| **total > 0)
        .map(|(code, (total, then))| CodeCount {
            code: code.name(),
            total: *total,
            last_minute: total.saturating_sub(*then),
            advice: super::advice::of(*code),
        })
        .collect();
    all.sort_by_key(|count| std::cmp::Reverse((count.last_minute, count.total)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(publications: u64, buckets: &[(usize, u64)]) -> Counts {
        let mut counts = Counts { publications, ..Counts::default() };
        for (bucket, count) in buckets {
            counts.latency.buckets[*bucket] = *count;
        }
        counts
    }

    #[test]
    fn rates_cover_ten_seconds_and_latencies_a_minute() {
        let (mut history, start) = (History::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        history.add(at(0), counts(1000, &[(3, 1000)]));
        assert!(history.rates().is_none() && history.latency().is_none());
        history.add(at(50), counts(1500, &[(3, 1098), (5, 1), (16, 0)]));
        history.add(at(60), counts(1520, &[(3, 1098), (5, 2), (16, 0)]));
        assert_eq!(history.rates().unwrap().publications, 2.0);
        let latency = LatencySummary { publications: 100, p50_ms: Some(1.0), p99_ms: Some(5.0) };
        assert_eq!(history.latency(), Some(latency));
        // The first sample is older than a minute, and the slowest publication exceeds all bounds.
        history.add(at(70), counts(1520, &[(3, 1098), (5, 2), (16, 1)]));
        let latency = LatencySummary { publications: 2, p50_ms: Some(5.0), p99_ms: None };
        assert_eq!((history.rates().unwrap().publications, history.latency()), (0.0, Some(latency)));
    }

    #[test]
    fn codes_are_listed_once_they_occurred_with_their_advice() {
        let (mut history, start) = (History::default(), Instant::now());
        let with = |code: Code, count| {
            let mut refusals = vec![0; Code::ALL.len()];
            refusals[Code::ALL.iter().position(|known| *known == code).unwrap()] = count;
            Counts { refusals, ..Counts::default() }
        };
        history.add(start, with(Code::Revoked, 2));
        history.add(start + Duration::from_secs(1), with(Code::Revoked, 5));
        let advice = super::super::advice::of(Code::Revoked);
        let expected = CodeCount { code: "REVOKED", total: 5, last_minute: 3, advice };
        assert_eq!(by_code(&history, |counts| &counts.refusals), [expected]);
    }
}
