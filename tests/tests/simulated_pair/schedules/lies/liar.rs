//! A relay that tells one client something else than it does: it repeats, withholds, swaps, alters and misplaces
//! publications, and adjusts the offsets so that they betray nothing.

use crate::clients::Seeded;
use bytes::Bytes;
use sealwire_protocol::{
    ChannelId,
    wire::{Publication, ToClient},
};
use std::collections::{BTreeMap, BTreeSet};

/// The number of kinds of lies.
const KINDS: u64 = 6;

/// One publication that the relay may replay later.
struct Recorded {
    channel: ChannelId,
    sealed: Bytes,
}

/// A channel on one connection.
#[derive(Default)]
struct Route {
    /// The highest position that the client was told.
    told: u64,
    /// A publication whose contents are swapped with those of the next one.
    held: Option<Publication>,
}

pub(crate) struct Liar {
    random: Seeded,
    /// The percentage of publications about which it lies.
    percent: u64,
    recorded: Vec<Recorded>,
    routes: BTreeMap<(u64, ChannelId), Route>,
    /// The clients and channels for which it may have left a publication out, or delivered one early or late.
    pub(super) withheld: BTreeSet<(usize, ChannelId)>,
    pub(super) told: usize,
}

impl Liar {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Seeded(seed);
        let percent = [3, 10, 30][random.below(3) as usize];
        let (recorded, routes, withheld) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        Self { random, percent, recorded, routes, withheld, told: 0 }
    }

    /// Returns what the client receives in place of a message of the relay.
    pub(crate) fn pass(&mut self, client: usize, link: u64, message: Bytes) -> Vec<Bytes> {
        match ToClient::from_bytes(message.clone()) {
            Ok(ToClient::Publication(publication)) => {
                let publications = self.publish(client, link, publication);
                publications.into_iter().map(|told| ToClient::Publication(told).to_bytes().into()).collect()
            }
            Ok(ToClient::Subscribed(subscribed)) => {
                let told = subscribed.position.map_or(0, |position| position.offset);
                self.routes.insert((link, subscribed.channel_id()), Route { told, held: None });
                vec![message]
            }
            Ok(ToClient::Ping(ping)) => {
                let on_link = self.routes.iter_mut().filter(|((other, _), _)| *other == link);
                let highest = ping.marks.iter().map(|mark| mark.offset).max().unwrap_or(0);
                on_link.for_each(|(_, route)| route.told = route.told.max(highest));
                vec![message]
            }
            _ => vec![message],
        }
    }

    fn publish(&mut self, client: usize, link: u64, mut publication: Publication) -> Vec<Publication> {
        let channel = publication.channel_id();
        let recorded = Recorded { channel, sealed: publication.sealed.clone() };
        let Some(route) = self.routes.get_mut(&(link, channel)) else { return vec![publication] };
        // Nothing betrays what was left out before.
        publication.previous_offset = publication.previous_offset.min(route.told);
        if let Some(mut first) = route.held.take() {
            core::mem::swap(&mut first.sealed, &mut publication.sealed);
            first.previous_offset = first.previous_offset.min(route.told);
            publication.previous_offset = first.offset.max(route.told);
            route.told = route.told.max(publication.offset);
            self.recorded.push(recorded);
            return vec![first, publication];
        }
        let lies = self.random.below(100) < self.percent;
        let told = if lies {
            self.lie(client, link, publication)
        } else {
            route.told = route.told.max(publication.offset);
            vec![publication]
        };
        self.recorded.push(recorded);
        told
    }

    fn lie(&mut self, client: usize, link: u64, publication: Publication) -> Vec<Publication> {
        let channel = publication.channel_id();
        let invented = match self.random.below(KINDS) {
            0 => {
                self.told += 1;
                self.withheld.insert((client, channel));
                return Vec::new();
            }
            1 => {
                self.told += 1;
                self.withheld.insert((client, channel));
                if let Some(route) = self.routes.get_mut(&(link, channel)) {
                    route.held = Some(publication);
                }
                return Vec::new();
            }
            2 => {
                let mut altered = publication.sealed.to_vec();
                let at = self.random.below(altered.len() as u64) as usize;
                altered[at] ^= 1 << self.random.below(8);
                Some(altered.into())
            }
            3 => self.replay(|recorded| recorded.channel != channel),
            4 => self.replay(|recorded| recorded.channel == channel),
            // Messages from the beginning, which are old after a long silence.
            _ => self.recorded.iter().find(|recorded| recorded.channel == channel).map(sealed),
        };
        let Some(route) = self.routes.get_mut(&(link, channel)) else { return vec![publication] };
        let before = route.told;
        route.told = before.max(publication.offset);
        let Some(sealed) = invented else { return vec![publication] };
        self.told += 1;
        // A message that is delivered before its turn overtakes earlier ones.
        self.withheld.insert((client, channel));
        if publication.offset > before + 1 {
            // An offset of another channel is free for it.
            let offset = publication.offset - 1;
            vec![Publication { offset, previous_offset: before, sealed, ..publication.clone() }, publication]
        } else {
            vec![Publication { sealed, ..publication }]
        }
    }

    /// Returns a random message of those that are wanted.
    fn replay(&mut self, wanted: impl Fn(&&Recorded) -> bool) -> Option<Bytes> {
        let count = self.recorded.iter().filter(&wanted).count() as u64;
        let index = self.random.below(count.max(1)) as usize;
        self.recorded.iter().filter(wanted).nth(index).map(sealed)
    }
}

fn sealed(recorded: &Recorded) -> Bytes {
    recorded.sealed.clone()
}
