//! The guarantees that hold against a lying relay, checked with every event that an app receives: no message twice, none
//! that its channel's members did not send there, none that is too old, and a report before the next message of a sender
//! for each confirmed message that is missing.

use super::super::{
    channels::{self, CHANNELS},
    model::PublishCall,
};
use sealwire_client::{Gap, GapReason, Notice, SubscriptionId};
use sealwire_protocol::{ChannelKey, KeyId, SealedMessage, wire::Publish};
use std::collections::{BTreeMap, BTreeSet};

type Check = Result<(), String>;

/// The age that no delivered message has: 300 s, and the time by which the clocks of two sessions may differ here.
const MAX_AGE_MS: u64 = 360_000;
/// The number of earlier messages that a message names.
const NAMED: usize = 64;

/// A message as its sender sealed it. Its number is its payload.
struct Sealing {
    sender: [u8; 12],
    channel: usize,
    at: u64,
    /// The number of times that it was sent.
    attempts: usize,
    /// The place among the messages of its sender.
    place: usize,
    /// The moment of its stamp.
    stamped: usize,
    /// The moment of the end of the publish, and whether it succeeded.
    ended: Option<(usize, bool)>,
}

/// The messages that a subscription received.
#[derive(Default)]
struct Receipts {
    numbers: BTreeSet<u64>,
    /// For each sender, the place behind which everything is due.
    due_after: BTreeMap<[u8; 12], usize>,
    /// The last news is a gap with the reason `withheld`.
    is_told_of_withheld: bool,
}

#[derive(Default)]
pub(crate) struct Witness {
    keys: BTreeMap<(usize, KeyId), ChannelKey>,
    sealings: BTreeMap<u64, Sealing>,
    /// The numbers of each sender in the order of sealing.
    senders: BTreeMap<[u8; 12], Vec<u64>>,
    receipts: BTreeMap<(usize, SubscriptionId), Receipts>,
    /// The moments at which the host began to sign a message.
    signing: BTreeMap<u64, usize>,
    /// The number of moments so far.
    moments: usize,
    pub(super) delivered: usize,
    pub(super) withheld: usize,
    pub(super) refused: usize,
}

impl Witness {
    /// Notes a message that has its stamp, and that the host signs.
    pub(crate) fn signing(&mut self, call: &PublishCall) {
        self.moments += 1;
        self.signing.entry(call.number).or_insert(self.moments);
    }

    /// Notes a message on its way to the relay.
    pub(crate) fn sent(&mut self, publish: &Publish, now: u64) {
        self.moments += 1;
        let channel = publish.channel.as_ref().map_or(CHANNELS, channels::index);
        let sealed = SealedMessage::parse(&publish.sealed).expect("a client seals well-formed messages");
        let key = self.keys.entry((channel, sealed.key_id()));
        let key = key.or_insert_with(|| channels::key(channel, sealed.key_id()));
        let opened = sealed.open(key, channels::ids()[channel], &publish.event).expect("the key fits");
        let number = opened.payload.trim_end().parse().expect("the payload is a number");
        let sender = opened.sender.0;
        let numbers = self.senders.entry(sender).or_default();
        let place = numbers.len();
        let sealing = self.sealings.entry(number).or_insert_with(|| {
            numbers.push(number);
            let stamped = self.signing.get(&number).copied().unwrap_or(self.moments);
            Sealing { sender, channel, at: now, attempts: 0, place, stamped, ended: None }
        });
        sealing.attempts += 1;
    }

    /// Notes the end of a publish.
    pub(crate) fn ended(&mut self, call: &PublishCall, succeeded: bool) {
        self.moments += 1;
        if let Some(sealing) = self.sealings.get_mut(&call.number) {
            sealing.ended = Some((self.moments, succeeded));
        }
    }

    pub(crate) fn message(
        &mut self,
        (client, id): (usize, SubscriptionId),
        channel: usize,
        number: u64,
        now: u64,
    ) -> Check {
        self.delivered += 1;
        let sealing = self.sealings.get(&number).ok_or("a message that nobody sent was delivered")?;
        if sealing.channel != channel {
            return Err(format!("{number} of channel {} was delivered on {channel}", sealing.channel));
        }
        if now > sealing.at + MAX_AGE_MS {
            return Err(format!("{number} was delivered {} ms after its sealing", now - sealing.at));
        }
        let receipts = self.receipts.entry((client, id)).or_default();
        if !receipts.numbers.insert(number) {
            return Err(format!("{number} was delivered twice"));
        }
        let due_after = *receipts.due_after.entry(sealing.sender).or_insert(sealing.place);
        let due = &self.senders[&sealing.sender][(due_after + 1).min(sealing.place)..sealing.place];
        let missing: Vec<u64> = due.iter().filter(|due| !receipts.numbers.contains(due)).copied().collect();
        let is_told = core::mem::take(&mut receipts.is_told_of_withheld);
        if is_told && missing.is_empty() {
            return Err(format!("a message before {number} is said to be withheld, and none is missing"));
        }
        if is_told {
            receipts.due_after.insert(sealing.sender, sealing.place);
            return Ok(());
        }
        let certain = missing.into_iter().find(|missing| self.is_certain(*missing, sealing));
        certain.map_or(Ok(()), |missing| {
            Err(format!("{missing} was withheld before {number}, and no gap or error was reported"))
        })
    }

    /// Returns whether a message certainly says that an earlier one of its sender was confirmed: the relay acknowledged its
    /// only attempt, and no message before it waited for an answer.
    fn is_certain(&self, earlier: u64, later: &Sealing) -> bool {
        let earlier = &self.sealings[&earlier];
        let had_ended = |number: &u64| self.sealings[number].ended.is_some_and(|(at, _)| at < later.stamped);
        earlier.attempts == 1
            && earlier.ended.is_some_and(|(_, succeeded)| succeeded)
            && later.place - earlier.place < NAMED
            && self.senders[&later.sender][..=earlier.place].iter().all(had_ended)
    }

    pub(crate) fn notice(
        &mut self,
        owner: (usize, SubscriptionId),
        notice: &Notice,
        may_be_withheld: bool,
    ) -> Check {
        let receipts = self.receipts.entry(owner).or_default();
        if receipts.is_told_of_withheld {
            return Err("a withheld message was reported without a message behind it".into());
        }
        match notice {
            Notice::Gap(Gap { reason: GapReason::Withheld, .. }) if !may_be_withheld => {
                return Err("nothing was withheld from a client that is told so".into());
            }
            Notice::Gap(Gap { reason: GapReason::Withheld, .. }) => {
                self.withheld += 1;
                receipts.is_told_of_withheld = true;
            }
            Notice::Gap(_) => receipts.due_after.clear(),
            Notice::Error(_) => {
                self.refused += 1;
                receipts.due_after.clear();
            }
            Notice::Resumed { .. } | Notice::Ended(_) => {}
        }
        Ok(())
    }
}
