//! The replica of a stream at one server: its log, of which a prefix is applied and can be read.

use sealwire_protocol::{ChannelId, UnixMillis};
use sealwire_relay::{Entry, EpochMarks, Mark, StoredPublication};
use std::{
    cell::Cell,
    collections::{HashMap, VecDeque},
    rc::Rc,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Channel(ChannelId),
    Mark(u64),
}

/// A message. Its sequence is its place in the log.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) subject: Subject,
    /// The time that the relay noted in it.
    pub(super) time: u64,
    pub(super) stored_at: Cell<u64>,
    pub(super) id: Option<[u8; 16]>,
    pub(super) sealed: bytes::Bytes,
    /// The number of its publication in the model, once it is committed.
    pub(super) instance: Cell<Option<usize>>,
}

impl Message {
    pub(super) fn bytes(&self) -> usize {
        100 + self.sealed.len()
    }

    pub(super) fn entry(&self, sequence: u64) -> Entry {
        let (time, stored_at) = (UnixMillis(self.time), UnixMillis(self.stored_at.get()));
        match self.subject {
            Subject::Mark(epoch) => Entry::Mark(Mark { sequence, epoch, time }),
            Subject::Channel(channel) => Entry::Publication(StoredPublication {
                sequence,
                channel,
                time,
                stored_at,
                event: String::new(),
                sealed: self.sealed.clone(),
                content: None,
                trace: None,
            }),
        }
    }
}

/// The limits of a stream.
#[derive(Clone, Copy)]
pub(super) struct StreamLimits {
    pub(super) max_age_ms: u64,
    pub(super) max_bytes: usize,
    /// The time for which ids are remembered.
    pub(super) window_ms: u64,
}

#[derive(Clone, Default)]
pub(super) struct Replica {
    /// The number of messages that were removed at the beginning.
    removed: u64,
    log: VecDeque<Rc<Message>>,
    /// The sequence up to which messages are applied.
    pub(super) applied: u64,
    bytes: usize,
    ids: HashMap<(ChannelId, [u8; 16]), (u64, u64)>,
}

impl Replica {
    /// Returns the stored marks of the newest epoch.
    pub(super) fn marks(&self) -> Option<EpochMarks> {
        let marks = self.from(1).filter_map(|(sequence, message)| match message.entry(sequence) {
            Entry::Mark(mark) => Some(mark),
            _ => None,
        });
        let marks: Vec<Mark> = marks.collect();
        let newest = *marks.last()?;
        let oldest = *marks.iter().find(|mark| mark.epoch == newest.epoch)?;
        Some(EpochMarks { oldest, newest })
    }

    pub(super) fn first(&self) -> u64 {
        self.removed + 1
    }

    pub(super) fn last(&self) -> u64 {
        self.removed + self.log.len() as u64
    }

    pub(super) fn get(&self, sequence: u64) -> Option<&Rc<Message>> {
        self.log.get(usize::try_from(sequence.checked_sub(self.first())?).ok()?)
    }

    /// Returns an applied message.
    pub(super) fn read(&self, sequence: u64) -> Option<&Rc<Message>> {
        self.get(sequence).filter(|_| sequence <= self.applied)
    }

    /// Iterates over the applied messages from a sequence on.
    pub(super) fn from(&self, sequence: u64) -> impl DoubleEndedIterator<Item = (u64, &Rc<Message>)> {
        (sequence.max(self.first())..=self.applied)
            .filter_map(|sequence| Some((sequence, self.get(sequence)?)))
    }

    pub(super) fn push(&mut self, message: Rc<Message>) -> u64 {
        self.bytes += message.bytes();
        let sequence = self.last() + 1;
        if let (Subject::Channel(channel), Some(id)) = (message.subject, message.id) {
            self.ids.insert((channel, id), (sequence, message.stored_at.get()));
        }
        self.log.push_back(message);
        sequence
    }

    fn pop(&mut self) {
        if let Some(message) = self.log.pop_back() {
            self.bytes -= message.bytes();
            if let (Subject::Channel(channel), Some(id)) = (message.subject, message.id) {
                self.ids.remove(&(channel, id));
            }
            self.applied = self.applied.min(self.last());
        }
    }

    /// Returns the sequence at which a message of this id is, if it is remembered.
    pub(super) fn find_id(
        &self,
        channel: ChannelId,
        id: [u8; 16],
        now: u64,
        limits: StreamLimits,
    ) -> Option<u64> {
        let (sequence, at) = *self.ids.get(&(channel, id))?;
        (now < at + limits.window_ms).then_some(sequence)
    }

    /// Returns the sequence of the newest message before another on the same subject, or 0.
    pub(super) fn previous(&self, subject: Subject, before: u64) -> u64 {
        let on_subject =
            |sequence: &u64| self.get(*sequence).is_some_and(|message| message.subject == subject);
        (self.first()..before).rev().find(on_subject).unwrap_or(0)
    }

    /// Drops the end of the log that was never stored, as a server does that hears of a newer term.
    pub(super) fn drop_pending(&mut self) {
        while self.last() > self.applied && self.last() >= self.first() {
            self.pop();
        }
    }

    /// Takes over another replica's log up to a sequence.
    pub(super) fn sync(&mut self, leader: &Self, upto: u64) {
        if self.last() + 1 < leader.first() || self.first() > leader.last() + 1 {
            *self = Self {
                removed: leader.removed,
                applied: leader.removed,
                ids: leader.ids.clone(),
                ..Self::default()
            };
        }
        while self.last() >= self.first() {
            let last = self.last();
            let is_same = match (self.get(last), leader.get(last)) {
                (Some(mine), Some(other)) => Rc::ptr_eq(mine, other),
                _ => last < leader.first(),
            };
            if is_same {
                break;
            }
            self.pop();
        }
        for sequence in self.last() + 1..=upto.min(leader.last()) {
            if let Some(message) = leader.get(sequence) {
                self.push(message.clone());
            }
        }
    }

    /// Removes what is too old or too much. Returns true if the limit of bytes removed messages.
    pub(super) fn discard(&mut self, now: u64, limits: StreamLimits) -> bool {
        let mut by_size = false;
        while self.first() <= self.applied
            && let Some(message) = self.log.front()
        {
            let is_old = now >= message.stored_at.get() + limits.max_age_ms;
            let is_large = self.bytes > limits.max_bytes;
            if !is_old && !is_large {
                break;
            }
            by_size |= !is_old;
            self.bytes -= message.bytes();
            self.log.pop_front();
            self.removed += 1;
        }
        by_size
    }
}
