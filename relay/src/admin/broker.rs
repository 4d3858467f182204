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
    ] {
        page.counter(&format!("sealwire_broker_{name}"), help, counter.total())?;
    }
    Ok(())
}
