//! The metrics of a broker that reaches other machines. With the embedded broker they have no servers and are 0, so that
//! dashboards and alerts are the same for every relay.

use super::page::Page;
use crate::metrics::BrokerMetrics;
use std::fmt::Error;

/// Adds the metrics to a scrape. `None` stands for the embedded broker.
pub(super) fn encode(metrics: Option<&BrokerMetrics>, page: &mut Page<'_>) -> Result<(), Error> {
    let embedded = BrokerMetrics::default();
    let metrics = metrics.unwrap_or(&embedded);
    connections(metrics, page)?;
    publishing(metrics, page)?;
    streams(metrics, page)
}

fn connections(metrics: &BrokerMetrics, page: &mut Page<'_>) -> Result<(), Error> {
    let label = |address: &str| [("server", address.to_owned())];
    page.gauges(
        "sealwire_broker_connected",
        "1 while the relay is connected to this NATS server, 0 otherwise",
        metrics.servers().map(|(address, is_connected, _)| (label(address), u64::from(is_connected))),
    )?;
    page.by(
        "sealwire_broker_reconnects",
        "Connects to this NATS server after the first",
        metrics.servers().map(|(address, _, reconnects)| (label(address), reconnects)),
    )
}

fn publishing(metrics: &BrokerMetrics, page: &mut Page<'_>) -> Result<(), Error> {
    page.histogram(
        "sealwire_broker_acknowledgement_seconds",
        "Time from sending a publication to NATS until its acknowledgement",
        &metrics.acknowledgements(),
    )?;
    page.counter(
        "sealwire_broker_publish_retries",
        "Publications sent to NATS again because the acknowledgement did not come",
        metrics.publish_retries.total(),
    )?;
    page.counter(
        "sealwire_broker_publish_timeouts",
        "Publications that NATS did not acknowledge within broker_timeout",
        metrics.publish_timeouts.total(),
    )
}

fn streams(metrics: &BrokerMetrics, page: &mut Page<'_>) -> Result<(), Error> {
    page.gauge("sealwire_broker_streams", "The setting broker_streams", metrics.streams())?;
    page.gauge(
        "sealwire_broker_streams_followed",
        "Streams of which every message reaches this relay",
        metrics.streams_followed(),
    )?;
    page.by(
        "sealwire_broker_catch_ups",
        "Reads of a stream from its last proven mark, by reason",
        metrics.catch_ups().map(|(reason, count)| ([("reason", reason.to_owned())], count)),
    )?;
    page.gauge(
        "sealwire_broker_joins_under_way",
        "Channels whose history is read for their first subscribers",
        metrics.joins(),
    )?;
    for (name, help, counter) in [
        ("messages_read_back", "Messages that catch-ups read from the streams", &metrics.messages_read_back),
        ("holes_found", "Stored messages that did not reach this relay at first", &metrics.holes_found),
        ("holes_mended", "Missing messages that a catch-up delivered", &metrics.holes_mended),
        ("holes_lost", "Missing messages that were no longer in the stream", &metrics.holes_lost),
        ("elections", "Changes of a stream's leader", &metrics.elections),
        ("reads", "Reads of a channel's history from its stream", &metrics.reads),
        ("marks_written", "Marks that this relay wrote", &metrics.marks_written),
        ("mark_races_lost", "Marks that another relay wrote first", &metrics.mark_races_lost),
        (
            "messages_ignored",
            "Messages on subjects of the relays that no relay writes",
            &metrics.messages_ignored,
        ),
    ] {
        page.counter(&format!("sealwire_broker_{name}"), help, counter.total())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::CatchUpReason;
    use prometheus_client::{
        collector::Collector,
        encoding::{DescriptorEncoder, text::encode},
        registry::Registry,
    };
    use std::{fmt, sync::Arc, time::Duration};

    /// A collector of these metrics alone.
    struct Alone(Option<Arc<BrokerMetrics>>);

    impl fmt::Debug for Alone {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Alone")
        }
    }

    impl Collector for Alone {
        fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
            super::encode(self.0.as_deref(), &mut Page(encoder))
        }
    }

    fn scrape(metrics: Option<Arc<BrokerMetrics>>) -> String {
        let (mut registry, mut text) = (Registry::default(), String::new());
        registry.register_collector(Box::new(Alone(metrics)));
        encode(&mut text, &registry).unwrap();
        text
    }

    #[test]
    fn the_metrics_of_a_cluster_have_a_series_for_each_server_and_reason() {
        let servers = ["nats://nats-1:4222", "nats://nats-2:4222"].map(str::to_owned);
        let metrics = Arc::new(BrokerMetrics::new(servers, 4));
        metrics.connected(0);
        metrics.disconnected(0);
        metrics.connected(0);
        metrics.stream_followed(2, true);
        metrics.acknowledged(Duration::from_millis(3));
        metrics.catching_up(CatchUpReason::Election);
        metrics.holes_lost(7);
        let _join = metrics.joining();
        let text = scrape(Some(metrics));
        for sample in [
            "sealwire_broker_connected{server=\"nats://nats-1:4222\"} 1",
            "sealwire_broker_connected{server=\"nats://nats-2:4222\"} 0",
            "sealwire_broker_reconnects_total{server=\"nats://nats-1:4222\"} 1",
            "sealwire_broker_streams 4",
            "sealwire_broker_streams_followed 1",
            "sealwire_broker_acknowledgement_seconds_sum 0.003",
            "sealwire_broker_acknowledgement_seconds_bucket{le=\"0.005\"} 1",
            "sealwire_broker_acknowledgement_seconds_bucket{le=\"10.0\"} 1",
            "sealwire_broker_catch_ups_total{reason=\"election\"} 1",
            "sealwire_broker_catch_ups_total{reason=\"slow\"} 0",
            "sealwire_broker_holes_lost_total 7",
            "sealwire_broker_joins_under_way 1",
        ] {
            assert!(text.lines().any(|line| line == sample), "{sample}:\n{text}");
        }
    }

    #[test]
    fn the_embedded_broker_has_the_same_metrics_with_zeros() {
        let names = |text: &str| -> Vec<String> {
            text.lines().filter(|line| line.starts_with("# TYPE")).map(str::to_owned).collect()
        };
        let embedded = scrape(None);
        assert_eq!(names(&embedded), names(&scrape(Some(Arc::new(BrokerMetrics::new([], 1))))));
        for line in embedded.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.ends_with(" 0") || line.ends_with(" 0.0"), "{line}");
        }
    }
}
