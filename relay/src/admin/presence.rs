//! The metrics of presence. Those of the messages between relays are 0 without other relays, so that dashboards and alerts
//! are the same for every relay.

use super::page::Page;
use crate::presence::Presences;
use std::fmt::Error;

/// Adds the metrics to a scrape.
pub(super) fn encode(presences: &Presences, page: &mut Page<'_>) -> Result<(), Error> {
    members(presences, page)?;
    relays(presences, page)
}

fn members(presences: &Presences, page: &mut Page<'_>) -> Result<(), Error> {
    let counts = presences.counts();
    page.gauge("sealwire_presence_members", "Members of presences at this relay", counts.members)?;
    page.gauge(
        "sealwire_presence_members_in_grace",
        "Members of presences whose connection is broken, and which leave after the grace time",
        counts.in_grace,
    )?;
    page.gauge(
        "sealwire_presence_remote_members",
        "Members at other relays, on the channels that this relay needs",
        counts.remote_members,
    )?;
    page.gauge("sealwire_presence_watchers", "Sessions that watch a presence, by channel", counts.watchers)?;
    page.counter(
        "sealwire_presence_changes",
        "Members that entered, changed their entry or left, as watchers were told",
        counts.changes,
    )?;
    page.counter(
        "sealwire_presence_messages",
        "Messages queued for the watchers of presences",
        counts.messages,
    )?;
    page.counter(
        "sealwire_presence_watchers_lost",
        "Watchers that were told to watch again, because the relay could not reach the others",
        counts.lost,
    )
}

fn relays(presences: &Presences, page: &mut Page<'_>) -> Result<(), Error> {
    let counts = presences.link_counts().unwrap_or_default();
    page.counter(
        "sealwire_presence_relay_messages_sent",
        "Messages about presence to other relays",
        counts.sent,
    )?;
    page.counter(
        "sealwire_presence_relay_messages_received",
        "Messages about presence from other relays",
        counts.received,
    )?;
    page.gauge(
        "sealwire_presence_relay_links_unanswered",
        "Links about presence to relays that are present and do not answer, one for each relay and app",
        counts.unanswered,
    )?;
    page.counter(
        "sealwire_presence_relay_messages_refused",
        "Messages about presence that are malformed, not authenticated or for another relay",
        counts.refused,
    )?;
    page.counter(
        "sealwire_presence_remote_members_refused",
        "Members at other relays for which the channel had no room",
        counts.refused_members,
    )?;
    page.counter(
        "sealwire_presence_relay_restarts",
        "Times that another relay had to tell everything again, because a message was lost",
        counts.restarts,
    )
}
