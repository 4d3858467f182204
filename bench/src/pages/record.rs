//! The record of everything that pages published and received, and the check of it: every acknowledged message exactly once
//! at every subscriber of its channel.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// The record of a run.
#[derive(Default)]
pub(crate) struct Record {
    channels: BTreeMap<u32, Vec<Message>>,
    subscriptions: Vec<Subscription>,
    confirmed: usize,
    resumes: Vec<Resumes>,
    pub(crate) noticed: Noticed,
}

/// The index of a subscription's record.
#[derive(Clone, Copy)]
pub(super) struct SubscriptionRecord(usize);

struct Message {
    published: Instant,
    acknowledged: Option<Instant>,
}

struct Subscription {
    channel: u32,
    /// The number of the first message that was published after the subscription began.
    first: usize,
    /// The number of arrivals of each message, by the number of the message.
    received: Vec<u8>,
}

/// The answers to the subscribes of a page since the last [`Record::forget_resumes`].
#[derive(Clone, Copy, Default)]
struct Resumes {
    recovered: u32,
    not_recovered: u32,
    last: Option<Instant>,
}

/// Everything that apps of these pages noticed besides messages.
#[derive(Default)]
pub(crate) struct Noticed {
    pub(crate) reconnects: u64,
    pub(crate) gaps: u64,
    pub(crate) refused_publications: u64,
    /// Refused or ended subscriptions, and messages that could not be read.
    pub(crate) failures: u64,
}

/// The result of the check.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) acknowledged: u64,
    pub(crate) delivered: u64,
    /// Acknowledged messages that did not arrive, for each subscriber that lacks them.
    pub(crate) missed: u64,
    pub(crate) doubled: u64,
}

impl Record {
    pub(super) fn add_page(&mut self) {
        self.resumes.push(Resumes::default());
    }

    pub(super) fn subscribe(&mut self, channel: u32) -> SubscriptionRecord {
        let first = self.channels.get(&channel).map_or(0, Vec::len);
        self.subscriptions.push(Subscription { channel, first, received: Vec::new() });
        SubscriptionRecord(self.subscriptions.len() - 1)
    }

    pub(super) fn confirm(&mut self, _: SubscriptionRecord) {
        self.confirmed += 1;
    }

    /// Records that a page publishes the next message of a channel, and returns the message's number.
    pub(super) fn publish(&mut self, channel: u32) -> usize {
        let messages = self.channels.entry(channel).or_default();
        messages.push(Message { published: Instant::now(), acknowledged: None });
        messages.len() - 1
    }

    pub(super) fn acknowledge(&mut self, channel: u32, number: usize) {
        let message = self.channels.get_mut(&channel).and_then(|messages| messages.get_mut(number));
        if let Some(message) = message {
            message.acknowledged = Some(Instant::now());
        }
    }

    pub(super) fn receive(&mut self, SubscriptionRecord(index): SubscriptionRecord, number: usize) {
        let received = &mut self.subscriptions[index].received;
        if received.len() <= number {
            received.resize(number + 1, 0);
        }
        received[number] = received[number].saturating_add(1);
    }

    pub(super) fn subscribed(&mut self, page: usize, recovered: bool) {
        let resumes = &mut self.resumes[page];
        let count = if recovered { &mut resumes.recovered } else { &mut resumes.not_recovered };
        *count += 1;
        resumes.last = Some(Instant::now());
    }

    pub(crate) fn subscriptions(&self) -> usize {
        self.subscriptions.len()
    }

    pub(crate) fn unconfirmed(&self) -> usize {
        self.subscriptions.len() - self.confirmed
    }

    /// Forgets the answers to subscribes so far, and what apps noticed.
    pub(crate) fn forget_resumes(&mut self) {
        self.resumes.fill(Resumes::default());
        self.noticed = Noticed::default();
    }

    /// Returns the number of pages with at least `each` answered subscribes.
    pub(crate) fn resumed_pages(&self, each: u32) -> usize {
        self.resumes.iter().filter(|page| page.recovered + page.not_recovered >= each).count()
    }

    /// Returns the numbers of subscribes that the relay answered with and without `recovered`.
    pub(crate) fn resumes(&self) -> (u64, u64) {
        self.resumes.iter().fold((0, 0), |(recovered, others), page| {
            (recovered + u64::from(page.recovered), others + u64::from(page.not_recovered))
        })
    }

    /// Returns the times from `start` to each page's last answer, in ascending order.
    pub(crate) fn resume_times(&self, start: Instant) -> Vec<Duration> {
        let mut times: Vec<_> =
            self.resumes.iter().filter_map(|page| Some(page.last?.duration_since(start))).collect();
        times.sort();
        times
    }

    /// Returns whether every published message has its acknowledgement, and every subscriber has all of them.
    pub(crate) fn is_complete(&self) -> bool {
        let answered = self.channels.values().flatten().filter(|message| message.acknowledged.is_none());
        answered.count() as u64 == self.noticed.refused_publications && self.check().missed == 0
    }

    /// Returns whether every channel has an acknowledgement of a message that was published after `start`.
    pub(crate) fn all_acknowledge_since(&self, start: Instant) -> bool {
        self.channels.values().all(|messages| {
            messages.iter().rev().any(|message| message.published >= start && message.acknowledged.is_some())
        })
    }

    /// Returns the longest time between two acknowledgements on all channels together, and the longest one on a channel.
    pub(crate) fn longest_pauses(&self) -> (Duration, Duration) {
        let times = |messages: &[Message]| messages.iter().filter_map(|one| one.acknowledged).collect();
        let per_channel = self.channels.values().map(|messages| longest_pause(times(messages)));
        let all = self.channels.values().flatten().filter_map(|message| message.acknowledged).collect();
        (longest_pause(all), per_channel.max().unwrap_or_default())
    }

    /// Returns the time between each publish and its acknowledgement, in ascending order.
    pub(crate) fn acknowledgement_times(&self) -> Vec<Duration> {
        let messages = self.channels.values().flatten();
        let mut times: Vec<_> =
            messages.filter_map(|one| Some(one.acknowledged?.duration_since(one.published))).collect();
        times.sort();
        times
    }

    /// Compares acknowledgements with deliveries.
    pub(crate) fn check(&self) -> Check {
        let acknowledged = self.channels.values().flatten().filter(|one| one.acknowledged.is_some()).count();
        let mut check = Check { acknowledged: acknowledged as u64, ..Check::default() };
        for Subscription { channel, first, received } in &self.subscriptions {
            let messages = self.channels.get(channel).map_or(&[][..], Vec::as_slice);
            for (number, message) in messages.iter().enumerate().skip(*first) {
                let times = received.get(number).copied().unwrap_or_default();
                check.delivered += u64::from(times);
                check.doubled += u64::from(times.saturating_sub(1));
                check.missed += u64::from(times == 0 && message.acknowledged.is_some());
            }
        }
        check
    }
}

fn longest_pause(mut times: Vec<Instant>) -> Duration {
    times.sort();
    times.windows(2).map(|pair| pair[1].duration_since(pair[0])).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledged_message_that_is_missing_or_doubled_is_counted() {
        let mut record = Record::default();
        let before = record.publish(1);
        record.acknowledge(1, before);
        let subscription = record.subscribe(1);
        for _ in 0..4 {
            record.publish(1);
        }
        // Message 1 arrives twice, 2 does not arrive, 3 arrives without an acknowledgement, 4 has neither.
        record.acknowledge(1, 1);
        record.acknowledge(1, 2);
        [1, 1, 3].into_iter().for_each(|number| record.receive(subscription, number));
        let expected = Check { acknowledged: 3, delivered: 3, missed: 1, doubled: 1 };
        assert_eq!(record.check(), expected);
        assert!(!record.is_complete());
    }

    #[test]
    fn the_longest_pause_is_that_between_two_acknowledgements_of_one_channel() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(longest_pause(vec![at(9), at(0), at(2), at(5)]), Duration::from_secs(4));
        assert_eq!(longest_pause(Vec::new()), Duration::ZERO);
    }
}
