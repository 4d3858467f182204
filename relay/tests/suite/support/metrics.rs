use super::{RelayProcess, request};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What a relay said of itself at one moment.
#[derive(Debug)]
pub struct Scrape {
    /// Each name with its type.
    pub types: BTreeMap<String, String>,
    /// Each sample with its labels.
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
                assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} is there twice");
            } else if !line.starts_with('#') {
                let (sample, value) = line.rsplit_once(' ').unwrap();
                let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
                assert!(samples.insert(sample.to_owned(), value).is_none(), "{sample} is there twice");
            }
        }
        Self { types, samples }
    }

    /// A sample by its name and labels.
    pub fn value(&self, sample: &str) -> f64 {
        *self.samples.get(sample).unwrap_or_else(|| panic!("no {sample} in {:#?}", self.samples))
    }

    /// The names of all samples, without their labels.
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
}
