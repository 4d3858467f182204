//! The configuration of a stream: created by the first relay, and compared by the others.

use super::names::StreamNames;
use crate::settings::{Settings, duration_text};
use async_nats::jetstream::stream::{Config, DiscardPolicy, Republish, RetentionPolicy, StorageType};
use std::time::Duration;

/// The time by which the stream keeps messages longer than clients may ask for, so that the oldest message it has is older
/// than any replay.
const SLACK: Duration = Duration::from_secs(5);
/// The key of the metadata with the number of streams.
const STREAMS: &str = "sealwire_streams";

/// Returns the configuration of a stream.
pub(super) fn desired(settings: &Settings, names: &StreamNames) -> Config {
    let bytes = settings.broker_bytes / settings.broker_streams.max(1) as u64;
    Config {
        name: names.stream(),
        subjects: vec![names.all()],
        retention: RetentionPolicy::Limits,
        storage: StorageType::Memory,
        discard: DiscardPolicy::Old,
        num_replicas: settings.broker_replicas,
        max_age: settings.replay_window + SLACK,
        duplicate_window: settings.replay_window,
        max_bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        republish: Some(Republish {
            source: names.all(),
            destination: names.all_live(),
            headers_only: false,
        }),
        allow_direct: true,
        deny_delete: true,
        description: Some("Sealwire: sealed messages between relays".to_owned()),
        metadata: [(STREAMS.to_owned(), settings.broker_streams.to_string())].into(),
        ..Config::default()
    }
}

/// Returns the difference between the stream's configuration and the desired one, with the setting to change.
pub(super) fn difference(found: &Config, desired: &Config) -> Option<String> {
    let stream = &found.name;
    let differs = |setting: &str, found: String, desired: String| {
        Some(format!(
            "the stream {stream} was created with {setting} = {found}, and this relay has {desired}; use the same value on \
             every relay, or stop all relays and delete the streams"
        ))
    };
    let streams =
        |config: &Config| config.metadata.get(STREAMS).cloned().unwrap_or_else(|| "none".to_owned());
    if streams(found) != streams(desired) {
        return differs("broker_streams", streams(found), streams(desired));
    }
    if found.num_replicas != desired.num_replicas {
        return differs("broker_replicas", found.num_replicas.to_string(), desired.num_replicas.to_string());
    }
    if found.duplicate_window != desired.duplicate_window || found.max_age != desired.max_age {
        let [found, desired] = [found.duplicate_window, desired.duplicate_window].map(duration_text);
        return differs("replay_window", found, desired);
    }
    if found.max_bytes != desired.max_bytes {
        return differs(
            "broker_bytes (divided by broker_streams)",
            found.max_bytes.to_string(),
            desired.max_bytes.to_string(),
        );
    }
    let is_same = found.storage == desired.storage
        && found.subjects == desired.subjects
        && found.discard == desired.discard
        && found.retention == desired.retention
        && found.republish.as_ref().map(|republish| (&republish.source, &republish.destination))
            == desired.republish.as_ref().map(|republish| (&republish.source, &republish.destination));
    (!is_same).then(|| {
        format!("the stream {stream} is not one of Sealwire; set another broker_prefix, or delete the stream")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_of_another_configuration_is_described_by_the_setting() {
        let names = StreamNames::new(&Default::default(), 0);
        let settings = Settings::default();
        let found = desired(&settings, &names);
        assert_eq!(difference(&found, &found), None);
        let others: [(&str, Settings); 4] = [
            (
                "broker_streams = 4",
                Settings { broker_streams: 8, broker_bytes: 512 << 20, ..settings.clone() },
            ),
            ("broker_replicas = 3", Settings { broker_replicas: 1, ..settings.clone() }),
            ("replay_window = 2m", Settings { replay_window: Duration::from_secs(60), ..settings.clone() }),
            ("broker_bytes", Settings { broker_bytes: 64 << 20, ..settings.clone() }),
        ];
        for (expected, other) in others {
            let text = difference(&found, &desired(&other, &names)).unwrap();
            assert!(text.contains(expected), "{text}");
        }
        let stranger = Config { storage: StorageType::File, ..found.clone() };
        assert!(difference(&stranger, &found).unwrap().contains("broker_prefix"));
    }
}
