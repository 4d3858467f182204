//! Publications of one channel in order, in parts that their holders share: what a channel keeps is handed out for
//! replay without a copy of it.

use super::Publication;
use std::{collections::VecDeque, sync::Arc, time::Instant};

/// Publications of a full part.
const PART: usize = 128;

type Part = VecDeque<Arc<Publication>>;

/// The publications that a channel keeps, oldest first.
#[derive(Default)]
pub(super) struct Kept {
    /// All of them have [`PART`] publications, but the first, which loses them to eviction.
    full: VecDeque<Arc<Part>>,
    last: Part,
    times: VecDeque<Time>,
    /// Bytes of everything that was ever kept here.
    bytes: u64,
}

struct Time {
    at: Instant,
    /// Bytes of everything that was kept before.
    bytes_before: u64,
}

impl Kept {
    pub(super) fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    pub(super) fn push(&mut self, publication: Arc<Publication>, at: Instant) {
        if self.last.len() == PART {
            self.full.push_back(Arc::new(std::mem::take(&mut self.last)));
        }
        self.times.push_back(Time { at, bytes_before: self.bytes });
        self.bytes += publication.frame().len() as u64;
        self.last.push_back(publication);
    }

    /// Removes the oldest. A replay that shares its part keeps it.
    pub(super) fn pop(&mut self) -> Option<(Arc<Publication>, Instant)> {
        let time = self.times.pop_front()?;
        let oldest = match self.full.front_mut() {
            Some(part) => {
                let part = Arc::make_mut(part);
                let oldest = part.pop_front();
                if part.is_empty() {
                    self.full.pop_front();
                }
                oldest
            }
            None => self.last.pop_front(),
        };
        if self.times.is_empty() {
            *self = Self { bytes: self.bytes, ..Self::default() };
        }
        Some((oldest?, time.at))
    }

    /// The first index at which a publication does not lie before what is asked for.
    pub(super) fn after_offset(&self, offset: u64) -> usize {
        let before = |part: &Part| part.back().is_some_and(|last| last.offset() <= offset);
        let full = self.full.partition_point(|part| before(part));
        let part = self.full.get(full).map_or(&self.last, |part| &**part);
        self.start_of(full) + part.partition_point(|publication| publication.offset() <= offset)
    }

    /// The first index at which a publication was taken at or after a moment.
    pub(super) fn since(&self, start: Instant) -> usize {
        self.times.partition_point(|time| time.at < start)
    }

    pub(super) fn get(&self, index: usize) -> Option<&Arc<Publication>> {
        let (full, within) = self.place(index);
        self.full.get(full).map_or(&self.last, |part| &**part).get(within)
    }

    /// Everything from an index on.
    pub(super) fn tail(&self, index: usize) -> History {
        let Some(first) = self.times.get(index) else { return History::default() };
        let (full, within) = self.place(index);
        let mut history = History { bytes: self.bytes - first.bytes_before, ..History::default() };
        match full < self.full.len() {
            true => {
                history.parts.extend(self.full.range(full..).cloned());
                history.parts.push_back(Arc::new(self.last.clone()));
                history.skip = within;
            }
            false => history.parts.push_back(Arc::new(self.last.range(within..).cloned().collect())),
        }
        history
    }

    /// The part of an index, and the index within it.
    fn place(&self, index: usize) -> (usize, usize) {
        let first = self.full.front().map_or(0, |part| part.len());
        match index.checked_sub(first) {
            Some(rest) if first > 0 => match 1 + rest / PART {
                full if full < self.full.len() => (full, rest % PART),
                _ => (self.full.len(), rest - (self.full.len() - 1) * PART),
            },
            _ => (0, index),
        }
    }

    fn start_of(&self, full: usize) -> usize {
        match (full, self.full.front()) {
            (1.., Some(first)) => first.len() + (full - 1) * PART,
            _ => 0,
        }
    }
}

/// Publications in order, for one replay. Cheap to make and to clone however long it is; what it holds stays in memory
/// until it was taken out.
#[derive(Clone, Default)]
pub struct History {
    /// None is empty.
    parts: VecDeque<Arc<Part>>,
    /// The number of publications of the first part that were taken out.
    skip: usize,
    bytes: u64,
}

impl History {
    /// Bytes of all frames.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The number of publications.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum::<usize>() - self.skip
    }

    /// Returns whether there are no publications.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Publication>> {
        self.parts.iter().flat_map(|part| part.iter()).skip(self.skip)
    }

    /// The newest.
    #[must_use]
    pub fn last(&self) -> Option<&Arc<Publication>> {
        self.parts.back()?.back()
    }

    /// Takes out the oldest.
    pub fn pop(&mut self) -> Option<Arc<Publication>> {
        let part = self.parts.front()?;
        let publication = part.get(self.skip)?.clone();
        self.skip += 1;
        if self.skip == part.len() {
            self.parts.pop_front();
            self.skip = 0;
        }
        self.bytes -= publication.frame().len() as u64;
        Some(publication)
    }

    /// Bytes that the history occupies besides the publications.
    pub(crate) fn footprint(&self) -> usize {
        self.parts.capacity() * size_of::<Arc<Part>>()
            + self.parts.back().map_or(0, |last| last.capacity() * size_of::<Arc<Publication>>())
    }
}

impl FromIterator<Arc<Publication>> for History {
    fn from_iter<I: IntoIterator<Item = Arc<Publication>>>(publications: I) -> Self {
        let publications: Part = publications.into_iter().collect();
        let bytes = publications.iter().map(|publication| publication.frame().len() as u64).sum();
        let parts = if publications.is_empty() { None } else { Some(Arc::new(publications)) };
        Self { parts: parts.into_iter().collect(), skip: 0, bytes }
    }
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{hub::Draft, tenant::Tenant};
    use sealwire_protocol::{ChannelId, UnixMillis};
    use std::time::Duration;

    fn publication(offset: u64) -> Arc<Publication> {
        let draft = Draft {
            channel: ChannelId([1; 16]),
            tenant: Tenant::default(),
            event: String::new(),
            sealed: vec![0; offset as usize % 7].into(),
            id: [0; 16],
        };
        Arc::new(Publication::new(draft, offset, offset - 1, UnixMillis(0)))
    }

    /// Everything after an offset, as a vector would have it.
    fn check(kept: &Kept, model: &VecDeque<(Arc<Publication>, Instant)>, offset: u64) {
        let index = model.partition_point(|(publication, _)| publication.offset() <= offset);
        assert_eq!(kept.after_offset(offset), index, "after {offset}");
        let mut history = kept.tail(index);
        let expected: Vec<u64> = model.range(index..).map(|(publication, _)| publication.offset()).collect();
        let bytes: usize = model.range(index..).map(|(publication, _)| publication.frame().len()).sum();
        assert_eq!(history.iter().map(|one| one.offset()).collect::<Vec<_>>(), expected);
        assert_eq!((history.len(), history.bytes()), (expected.len(), bytes as u64));
        assert_eq!(history.last().map(|last| last.offset()), expected.last().copied());
        let popped: Vec<u64> = std::iter::from_fn(|| history.pop()).map(|one| one.offset()).collect();
        assert_eq!((popped, history.bytes(), history.is_empty()), (expected, 0, true));
    }

    #[test]
    fn what_is_kept_is_found_and_handed_out_wherever_it_was_cut() {
        let (mut kept, mut model, start) = (Kept::default(), VecDeque::new(), Instant::now());
        let at = |offset: u64| start + Duration::from_millis(offset);
        let mut next = 1;
        // Grows past several parts, shrinks to nothing and grows again.
        for (pushes, pops) in [(1, 0), (PART * 3, 5), (10, PART), (PART, PART * 2), (7, PART + 20), (300, 1)]
        {
            for _ in 0..pushes {
                kept.push(publication(next), at(next));
                model.push_back((publication(next), at(next)));
                next += 1;
            }
            for _ in 0..pops {
                let expected = model.pop_front();
                let popped = kept.pop();
                let name = |one: Option<(Arc<Publication>, Instant)>| one.map(|(one, at)| (one.offset(), at));
                assert_eq!(name(popped), name(expected));
            }
            for offset in (0..=next).step_by(7).chain([next - 1]) {
                check(&kept, &model, offset);
                let first = kept.since(at(offset));
                assert_eq!(first, model.partition_point(|(_, taken)| *taken < at(offset)));
            }
            for (index, (publication, _)) in model.iter().enumerate() {
                assert_eq!(kept.get(index).map(|one| one.offset()), Some(publication.offset()));
            }
            assert!(kept.get(model.len()).is_none());
        }
    }

    #[test]
    fn a_replay_keeps_what_is_evicted_meanwhile_and_nothing_keeps_it_after_that() {
        let (mut kept, now) = (Kept::default(), Instant::now());
        for offset in 1..=300 {
            kept.push(publication(offset), now);
        }
        let first = Arc::downgrade(kept.get(0).unwrap());
        let mut history = kept.tail(0);
        while kept.pop().is_some() {}
        assert!(kept.is_empty() && first.upgrade().is_some());
        for offset in 1..=300 {
            assert_eq!(history.pop().unwrap().offset(), offset);
        }
        assert!(history.pop().is_none() && first.upgrade().is_none());
        assert_eq!(history.footprint() % size_of::<Arc<Part>>(), 0);
    }
}
