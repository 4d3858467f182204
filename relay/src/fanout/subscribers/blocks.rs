//! A sorted list in blocks: an insertion or removal moves at most one block, and a walk through the list can pause
//! while items are inserted and removed.

use crate::session_id::SessionId;

/// The maximum number of items in a block.
const BLOCK: usize = 256;

pub(super) trait Keyed {
    fn key(&self) -> SessionId;
}

/// Items sorted by key, in blocks none of which is empty.
pub(super) struct Blocks<T>(Vec<Vec<T>>);

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Keyed> Blocks<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    pub(super) fn find(&mut self, key: SessionId) -> Option<&mut T> {
        let block = self.block_of(key);
        let block = self.0.get_mut(block)?;
        let index = block.binary_search_by_key(&key, T::key).ok()?;
        block.get_mut(index)
    }

    /// Inserts an item, or replaces the one with its key. Returns whether the key is new.
    pub(super) fn insert(&mut self, item: T) -> bool {
        let key = item.key();
        let mut number = self.block_of(key);
        if number == self.0.len() {
            // The key is greater than all others.
            match self.0.last() {
                Some(last) if last.len() < BLOCK => number -= 1,
                _ => {
                    // Most channels have one subscriber.
                    self.0.reserve_exact(usize::from(number == 0));
                    self.0.push(Vec::with_capacity(1));
                }
            }
        }
        let index = match self.0[number].binary_search_by_key(&key, T::key) {
            Ok(index) => {
                self.0[number][index] = item;
                return false;
            }
            Err(index) => index,
        };
        let block = &mut self.0[number];
        if block.len() < BLOCK {
            // A block grows by a quarter, so that at most a fifth of it is unused.
            if block.len() == block.capacity() {
                block.reserve_exact((block.len() / 4).max(1));
            }
            block.insert(index, item);
            return true;
        }
        let mut behind = self.0[number].split_off(BLOCK / 2);
        match index.checked_sub(BLOCK / 2) {
            Some(index) => behind.insert(index, item),
            None => self.0[number].insert(index, item),
        }
        self.0.insert(number + 1, behind);
        true
    }

    /// Removes an item. Returns whether it was present.
    pub(super) fn remove(&mut self, key: SessionId) -> bool {
        let number = self.block_of(key);
        let Some(block) = self.0.get_mut(number) else { return false };
        let Ok(index) = block.binary_search_by_key(&key, T::key) else { return false };
        block.remove(index);
        if block.is_empty() {
            self.0.remove(number);
        } else if block.len() < BLOCK / 4 {
            self.merge_with_next(number);
        }
        true
    }

    /// Visits up to `max` items after the key `after`, in slices. Returns the key of the last one if more items
    /// follow.
    pub(super) fn visit(
        &mut self,
        after: Option<SessionId>,
        max: usize,
        mut visit: impl FnMut(&mut [T]),
    ) -> Option<SessionId> {
        let (mut number, mut index, mut left) = (0, 0, max);
        if let Some(after) = after {
            number = self.block_of(after);
            index = self.0.get(number)?.partition_point(|item| item.key() <= after);
        }
        let mut last = after;
        loop {
            let block = self.0.get_mut(number)?;
            let end = block.len().min(index.saturating_add(left));
            let visited = &mut block[index..end];
            left -= visited.len();
            visit(visited);
            last = visited.last().map(T::key).or(last);
            if end < block.len() {
                return last;
            }
            (number, index) = (number + 1, 0);
        }
    }

    /// Returns the first block whose last key is not less than `key`.
    fn block_of(&self, key: SessionId) -> usize {
        match &*self.0 {
            [only] => usize::from(only.last().is_some_and(|last| last.key() < key)),
            blocks => blocks.partition_point(|block| block.last().is_some_and(|last| last.key() < key)),
        }
    }

    /// Merges a small block with the next one if both fit into half a block.
    fn merge_with_next(&mut self, number: usize) {
        let next = self.0.get(number + 1).map_or(BLOCK, Vec::len);
        if self.0[number].len() + next <= BLOCK / 2 {
            let mut next = self.0.remove(number + 1);
            self.0[number].append(&mut next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    impl Keyed for u64 {
        fn key(&self) -> SessionId {
            SessionId(*self)
        }
    }

    fn all(blocks: &mut Blocks<u64>) -> Vec<u64> {
        let mut all = Vec::new();
        assert_eq!(blocks.visit(None, usize::MAX, |items| all.extend_from_slice(items)), None);
        all
    }

    #[test]
    fn a_list_of_one_item_allocates_room_for_one() {
        let mut blocks = Blocks::default();
        blocks.insert(7);
        assert_eq!((blocks.0.capacity(), blocks.0[0].capacity()), (1, 1));
        assert!(blocks.remove(SessionId(7)) && blocks.is_empty());
    }

    #[test]
    fn insertions_and_removals_keep_the_blocks_small_and_few() {
        let mut blocks = Blocks::default();
        (0..100_000).for_each(|item| assert!(blocks.insert(2 * item)));
        (0..100_000).step_by(10).for_each(|item| assert!(blocks.insert(2 * item + 1)));
        (0..50_000).for_each(|item| assert!(blocks.remove(SessionId(4 * item))));
        assert!(blocks.0.iter().all(|block| (1..=BLOCK).contains(&block.len())));
        assert!(blocks.0.len() < 2000, "{} blocks for {} items", blocks.0.len(), all(&mut blocks).len());
    }

    proptest! {
        #[test]
        fn the_list_behaves_like_a_sorted_set(
            steps in prop::collection::vec((0..1500_u64, prop::bool::weighted(0.7)), 1..3000),
        ) {
            let (mut blocks, mut model) = (Blocks::default(), BTreeSet::new());
            for (key, is_added) in steps {
                match is_added {
                    true => prop_assert_eq!(blocks.insert(key), model.insert(key)),
                    false => prop_assert_eq!(blocks.remove(SessionId(key)), model.remove(&key)),
                }
                prop_assert_eq!(blocks.find(SessionId(key)).is_some(), model.contains(&key));
                prop_assert_eq!(blocks.is_empty(), model.is_empty());
            }
            prop_assert_eq!(all(&mut blocks), model.into_iter().collect::<Vec<_>>());
        }

        /// Every item that stays is visited once, although others are inserted and removed between the pieces.
        #[test]
        fn a_walk_in_pieces_visits_every_remaining_item_once_and_in_order(
            first in prop::collection::btree_set(0..2000_u64, 1..1500),
            steps in prop::collection::vec((0..2000_u64, any::<bool>(), 1..200_usize), 1..60),
        ) {
            let mut blocks = Blocks::default();
            first.iter().for_each(|key| assert!(blocks.insert(*key)));
            let (mut stayed, mut visited, mut after) = (first.clone(), Vec::new(), None);
            for (key, is_inserted, max) in steps {
                after = blocks.visit(after, max, |items| visited.extend_from_slice(items));
                if after.is_none() {
                    break;
                }
                if is_inserted {
                    blocks.insert(key);
                } else {
                    blocks.remove(SessionId(key));
                    stayed.remove(&key);
                }
            }
            if after.is_some() {
                blocks.visit(after, usize::MAX, |items| visited.extend_from_slice(items));
            }
            prop_assert!(visited.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(stayed.iter().all(|key| visited.binary_search(key).is_ok()));
        }
    }
}
