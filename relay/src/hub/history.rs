//! The publications of one channel in order, in reference-counted segments: a replay shares the segments of the cache
//! instead of copying them.

use super::Publication;
use std::{collections::VecDeque, sync::Arc, time::Instant};

/// The number of publications in a full segment.
const SEGMENT_LEN: usize = 128;

type Segment = VecDeque<Arc<Publication>>;

/// The publications that a channel caches, oldest first.
#[derive(Default)]
pub(super) struct CachedHistory {
    /// The full segments. Each has [`SEGMENT_LEN`] publications, except the first, from which eviction removes them.
    full: VecDeque<Arc<Segment>>,
    last: Segment,
    /// One entry for each cached publication.
    times: VecDeque<Time>,
    /// The bytes of all frames that were ever cached here.
    bytes: u64,
}

struct Time {
    /// The time at which the publication was accepted.
    at: Instant,
    /// The bytes of all frames that were cached before this one.
    bytes_before: u64,
}

impl CachedHistory {
    pub(super) fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    pub(super) fn push(&mut self, publication: Arc<Publication>, at: Instant) {
        if self.last.len() == SEGMENT_LEN {
            self.full.push_back(Arc::new(std::mem::take(&mut self.last)));
        }
        self.times.push_back(Time { at, bytes_before: self.bytes });
        self.bytes += publication.frame().len() as u64;
        self.last.push_back(publication);
    }

    /// Removes the oldest publication. A replay that shares its segment still holds it.
    pub(super) fn pop(&mut self) -> Option<(Arc<Publication>, Instant)> {
        let time = self.times.pop_front()?;
        let oldest = match self.full.front_mut() {
            Some(segment) => {
                let segment = Arc::make_mut(segment);
                let oldest = segment.pop_front();
                if segment.is_empty() {
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

    /// Returns the index of the first publication after `offset`.
    pub(super) fn after_offset(&self, offset: u64) -> usize {
        let before = |segment: &Segment| segment.back().is_some_and(|last| last.offset() <= offset);
        let full = self.full.partition_point(|segment| before(segment));
        let segment = self.full.get(full).map_or(&self.last, |segment| &**segment);
        self.start_of(full) + segment.partition_point(|publication| publication.offset() <= offset)
    }

    /// Returns the index of the first publication that was accepted at or after `start`.
    pub(super) fn since(&self, start: Instant) -> usize {
        self.times.partition_point(|time| time.at < start)
    }

    pub(super) fn get(&self, index: usize) -> Option<&Arc<Publication>> {
        let (full, within) = self.locate(index);
        self.full.get(full).map_or(&self.last, |segment| &**segment).get(within)
    }

    /// Returns the newest publication.
    pub(super) fn last(&self) -> Option<&Arc<Publication>> {
        self.get(self.times.len().checked_sub(1)?)
    }

    /// Returns the publications from an index on.
    pub(super) fn tail(&self, index: usize) -> History {
        let Some(first) = self.times.get(index) else { return History::default() };
        let (full, within) = self.locate(index);
        let mut history = History { bytes: self.bytes - first.bytes_before, ..History::default() };
        match full < self.full.len() {
            true => {
                history.segments.extend(self.full.range(full..).cloned());
                history.segments.push_back(Arc::new(self.last.clone()));
                history.skip = within;
            }
            false => history.segments.push_back(Arc::new(self.last.range(within..).cloned().collect())),
        }
        history
    }

    /// Returns the number of the segment that holds an index, and the index within that segment.
    fn locate(&self, index: usize) -> (usize, usize) {
        let first = self.full.front().map_or(0, |segment| segment.len());
        match index.checked_sub(first) {
            Some(rest) if first > 0 => match 1 + rest / SEGMENT_LEN {
                full if full < self.full.len() => (full, rest % SEGMENT_LEN),
                _ => (self.full.len(), rest - (self.full.len() - 1) * SEGMENT_LEN),
            },
            _ => (0, index),
        }
    }

    fn start_of(&self, full: usize) -> usize {
        match (full, self.full.front()) {
            (1.., Some(first)) => first.len() + (full - 1) * SEGMENT_LEN,
            _ => 0,
        }
    }
}

/// The publications of one replay, in order. Creating or cloning it is cheap, however long it is. A publication stays in
/// memory until it is popped.
#[derive(Clone, Default)]
pub struct History {
    /// The segments, none of which is empty.
    segments: VecDeque<Arc<Segment>>,
    /// The number of publications that were popped from the first segment.
    skip: usize,
    bytes: u64,
}

impl History {
    /// Returns the bytes of all frames.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the number of publications.
    #[must_use]
    pub fn len(&self) -> usize {
        self.segments.iter().map(|segment| segment.len()).sum::<usize>() - self.skip
    }

    /// Returns whether there are no publications.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Iterates over the publications, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Publication>> {
        self.segments.iter().flat_map(|segment| segment.iter()).skip(self.skip)
    }

    /// Returns the newest publication.
    #[must_use]
    pub fn last(&self) -> Option<&Arc<Publication>> {
        self.segments.back()?.back()
    }

    /// Removes and returns the oldest publication.
    pub fn pop(&mut self) -> Option<Arc<Publication>> {
        let segment = self.segments.front()?;
        let publication = segment.get(self.skip)?.clone();
        self.skip += 1;
        if self.skip == segment.len() {
            self.segments.pop_front();
            self.skip = 0;
        }
        self.bytes -= publication.frame().len() as u64;
        Some(publication)
    }

    /// Returns the bytes that the history occupies besides the publications.
    pub(crate) fn footprint(&self) -> usize {
        self.segments.capacity() * size_of::<Arc<Segment>>()
            + self.segments.back().map_or(0, |last| last.capacity() * size_of::<Arc<Publication>>())
    }
}

impl FromIterator<Arc<Publication>> for History {
    fn from_iter<I: IntoIterator<Item = Arc<Publication>>>(publications: I) -> Self {
        let publications: Segment = publications.into_iter().collect();
        let bytes = publications.iter().map(|publication| publication.frame().len() as u64).sum();
        let segments = if publications.is_empty() { None } else { Some(Arc::new(publications)) };
        Self { segments: segments.into_iter().collect(), skip: 0, bytes }
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
            content: None,
            trace: None,
        };
        Arc::new(Publication::new(draft, offset, offset - 1, UnixMillis(0)))
    }

    /// Compares the publications after an offset with a plain vector.
    fn check(cache: &CachedHistory, model: &VecDeque<(Arc<Publication>, Instant)>, offset: u64) {
        let index = model.partition_point(|(publication, _)| publication.offset() <= offset);
        assert_eq!(cache.after_offset(offset), index, "after {offset}");
        let mut history = cache.tail(index);
        let expected: Vec<u64> = model.range(index..).map(|(publication, _)| publication.offset()).collect();
        let bytes: usize = model.range(index..).map(|(publication, _)| publication.frame().len()).sum();
        assert_eq!(history.iter().map(|one| one.offset()).collect::<Vec<_>>(), expected);
        assert_eq!((history.len(), history.bytes()), (expected.len(), bytes as u64));
        assert_eq!(history.last().map(|last| last.offset()), expected.last().copied());
        let popped: Vec<u64> = std::iter::from_fn(|| history.pop()).map(|one| one.offset()).collect();
        assert_eq!((popped, history.bytes(), history.is_empty()), (expected, 0, true));
    }

    #[test]
    fn segments_behave_like_one_list_after_any_pushes_and_pops() {
        let (mut cache, mut model, start) = (CachedHistory::default(), VecDeque::new(), Instant::now());
        let at = |offset: u64| start + Duration::from_millis(offset);
        let mut next = 1;
        // The history grows past several segments, shrinks to nothing and grows again.
        for (pushes, pops) in [
            (1, 0),
            (SEGMENT_LEN * 3, 5),
            (10, SEGMENT_LEN),
            (SEGMENT_LEN, SEGMENT_LEN * 2),
            (7, SEGMENT_LEN + 20),
            (300, 1),
        ] {
            for _ in 0..pushes {
                cache.push(publication(next), at(next));
                model.push_back((publication(next), at(next)));
                next += 1;
            }
            for _ in 0..pops {
                let expected = model.pop_front();
                let popped = cache.pop();
                let name = |one: Option<(Arc<Publication>, Instant)>| one.map(|(one, at)| (one.offset(), at));
                assert_eq!(name(popped), name(expected));
            }
            for offset in (0..=next).step_by(7).chain([next - 1]) {
                check(&cache, &model, offset);
                let first = cache.since(at(offset));
                assert_eq!(first, model.partition_point(|(_, taken)| *taken < at(offset)));
            }
            for (index, (publication, _)) in model.iter().enumerate() {
                assert_eq!(cache.get(index).map(|one| one.offset()), Some(publication.offset()));
            }
            assert!(cache.get(model.len()).is_none());
        }
    }

    #[test]
    fn a_replay_holds_evicted_publications_until_it_pops_them() {
        let (mut cache, now) = (CachedHistory::default(), Instant::now());
        for offset in 1..=300 {
            cache.push(publication(offset), now);
        }
        let first = Arc::downgrade(cache.get(0).unwrap());
        let mut history = cache.tail(0);
        while cache.pop().is_some() {}
        assert!(cache.is_empty() && first.upgrade().is_some());
        for offset in 1..=300 {
            assert_eq!(history.pop().unwrap().offset(), offset);
        }
        assert!(history.pop().is_none() && first.upgrade().is_none());
        assert_eq!(history.footprint() % size_of::<Arc<Segment>>(), 0);
    }
}
