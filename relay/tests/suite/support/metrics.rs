//! The metrics of a relay.

use super::{RelayProcess, request};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The metrics of a relay at one time.
#[derive(Debug)]
pub struct Scrape {
    /// The type of each metric.
    pub types: BTreeMap<String, String>,
    /// The value of each sample, by its name with labels.
    samples: BTreeMap<String, f64>,
}

impl Scrape {
    pub async fn of(relay: &RelayProcess) -> Self {
        let answer =
            request(relay.admin(), "GET", "/metrics", "accept: application/openmetrics-text\r\n", "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.head.contains("content-type: application/openmetrics-text; version=1.0.0"));
        assert!(answer.text.ends_with("# EOF\n"));
        let (mut types, mut samples) = (BTreeMap::new(), BTreeMap::new());
        for line in answer.text.lines() {
            if let Some(named) = line.strip_prefix("# TYPE ") {
                let (name, kind) = named.split_once(' ').unwrap();
                assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} occurs twice");
            } else if !line.starts_with('#') {
                let (sample, value) = line.rsplit_once(' ').unwrap();
                let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
                assert!(samples.insert(sample.to_owned(), value).is_none(), "{sample} occurs twice");
            }
        }
        Self { types, samples }
    }

    /// Returns the value of a sample, by its name with labels.
    pub fn value(&self, sample: &str) -> f64 {
        *self.samples.get(sample).unwrap_or_else(|| panic!("no {sample} in {:#?}", self.samples))
    }

    /// Returns the names of all samples, without labels.
    pub fn names(&self) -> BTreeSet<&str> {
        self.samples.keys().map(|sample| sample.split_once('{').map_or(&**sample, |(name, _)| name)).collect()
    }

    /// Scrapes until a sample has this value.
    pub async fn until(relay: &RelayProcess, sample: &str, value: f64) -> Self {
        for _ in 0..200 {
            let scrape = Self::of(relay).await;
            if scrape.value(sample) == value {
                return scrape;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{sample} did not become {value}: {:#?}", Self::of(relay).await);
    }

    /// Scrapes until a sample has at least this value.
    pub async fn until_at_least(relay: &RelayProcess, sample: &str, value: f64) -> Self {
        for _ in 0..200 {
            let scrape = Self::of(relay).await;
            if scrape.value(sample) >= value {
                return scrape;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{sample} did not become {value}: {:#?}", Self::of(relay).await);
    }
}
