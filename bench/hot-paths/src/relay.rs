//! The hot paths of the relay, from a draft to the queues of its subscribers.

use crate::session::context;
use bytes::Bytes;
use sealwire_protocol::{ChannelAddress, ChannelId, UnixMillis, wire::Position};
use sealwire_relay::{
    Draft, EventFilter, History, Hub, HubLimits, Now, Publication, Replay, SessionId, Subscribers, Tenant,
};
use std::{hint::black_box, sync::Arc, time::Duration};

const CHANNEL: ChannelId = ChannelId([7; 16]);

fn draft(number: u64, sealed: &Bytes) -> Draft {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    let tenant = Tenant { app: 1, installation: 2 };
    Draft {
        channel: CHANNEL,
        tenant,
        event: String::new(),
        sealed: sealed.clone(),
        id,
        content: None,
        trace: None,
    }
}

pub(crate) fn channel_id() -> impl FnMut() {
    let scope = context();
    move || {
        let (app, installation) = ("ari:cloud:ecosystem::app/6f2a1c3e", "ari:cloud:jira::site/2b1f7d0e");
        let address = ChannelAddress { app, installation, scope: &scope, claims_tag: None, name: "absences" };
        black_box(black_box(address).id());
    }
}

pub(crate) fn hub() -> impl FnMut() {
    let (now, sealed) = (Now::read(), Bytes::from(vec![0; 185]));
    let limits = HubLimits { replay_window: Duration::from_secs(120), replay_bytes: 1 << 20 };
    let mut hub = Hub::new(1, limits, now);
    let mut number = 0;
    move || {
        number += 1;
        black_box(hub.publish(draft(number, &sealed), now).expect("each draft has a unique id"));
    }
}

pub(crate) fn encode() -> impl FnMut() {
    let sealed = Bytes::from(vec![0; 185]);
    move || {
        let publication =
            Publication::new(draft(1, &sealed), 1_000_001, 1_000_000, UnixMillis(1_800_000_000_000));
        black_box(publication);
    }
}

/// Delivers one publication to 1,000 subscribers, each of which takes a reference to the frame.
pub(crate) fn deliver() -> impl FnMut() {
    let mut subscribers: Subscribers<u64> = Subscribers::default();
    let position = Position { epoch: 1, offset: 0, time_ms: 0 };
    let replay = Replay { position, recovered: false, publications: History::default() };
    for number in 0..1000 {
        subscribers.subscribe(CHANNEL, SessionId(number), number, EventFilter::default());
        subscribers.catch_up(CHANNEL, SessionId(number), &replay, |_, _| {});
    }
    let sealed = Bytes::from(vec![0; 185]);
    let mut offset = 0;
    move || {
        offset += 1;
        let publication =
            Arc::new(Publication::new(draft(offset, &sealed), offset, offset - 1, UnixMillis(1)));
        subscribers.deliver(&publication, |subscriber, publication| {
            black_box((subscriber, publication.frame().clone()));
        });
    }
}

/// Examines the share of a shard's channels that one look of the console locks, in the middle of the table.
pub(crate) fn look() -> impl FnMut() {
    let mut subscribers: Subscribers<u64> = Subscribers::default();
    for number in 0..100_000_u64 {
        let mut channel = [0; 16];
        channel[..8].copy_from_slice(&number.to_be_bytes());
        subscribers.subscribe(ChannelId(channel), SessionId(number), number, EventFilter::default());
    }
    move || {
        let mut some = Vec::with_capacity(2048);
        subscribers.visit_channels(50_000, 2048, |channel, count| some.push((channel, count)));
        black_box(some);
    }
}
