//! A list that nearly always has at most one item, which it stores inline.

/// A list whose single item needs no memory on the heap.
#[derive(Debug)]
pub(crate) enum Few<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl<T> Few<T> {
    /// Inserts an item at `index`, which is at most the length.
    pub(crate) fn insert(&mut self, index: usize, item: T) {
        *self = match std::mem::take(self) {
            Self::Many(items) if items.is_empty() => Self::One(item),
            Self::Many(mut items) => {
                items.insert(index, item);
                Self::Many(items)
            }
            Self::One(first) if index == 0 => Self::Many(vec![item, first]),
            Self::One(first) => Self::Many(vec![first, item]),
        };
    }

    /// Removes and returns the item at `index`, which is less than the length.
    pub(crate) fn remove(&mut self, index: usize) -> T {
        match std::mem::take(self) {
            Self::One(item) => item,
            Self::Many(mut items) => {
                let item = items.remove(index);
                *self = match items.pop() {
                    Some(last) if items.is_empty() => Self::One(last),
                    last => {
                        items.extend(last);
                        Self::Many(items)
                    }
                };
                item
            }
        }
    }
}

impl<T> std::ops::Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::One(item) => std::slice::from_ref(item),
            Self::Many(items) => items,
        }
    }
}

impl<T> std::ops::DerefMut for Few<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Self::One(item) => std::slice::from_mut(item),
            Self::Many(items) => items,
        }
    }
}

impl<T> IntoIterator for Few<T> {
    type Item = T;
    type IntoIter = std::iter::Chain<std::option::IntoIter<T>, std::vec::IntoIter<T>>;

    fn into_iter(self) -> Self::IntoIter {
        match self {
            Self::One(item) => Some(item).into_iter().chain(Vec::new()),
            Self::Many(items) => None.into_iter().chain(items),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_item_of_two_words_needs_no_further_memory() {
        assert_eq!(size_of::<Few<[u8; 16]>>(), size_of::<Vec<[u8; 16]>>());
        let mut few = Few::default();
        (0..3).for_each(|item| few.insert(0, item));
        assert_eq!([few.remove(0), few.remove(0)], [2, 1]);
        assert!(matches!(few, Few::One(0)));
        few.remove(0);
        assert!(matches!(few, Few::Many(items) if items.capacity() == 0));
    }

    proptest! {
        #[test]
        fn the_list_behaves_like_a_vector(
            steps in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), any::<u8>()), 0..30),
        ) {
            let (mut few, mut model) = (Few::default(), Vec::new());
            for (index, is_added, item) in steps {
                if is_added || model.is_empty() {
                    let index = index.index(model.len() + 1);
                    few.insert(index, item);
                    model.insert(index, item);
                } else {
                    let index = index.index(model.len());
                    prop_assert_eq!(few.remove(index), model.remove(index));
                }
                prop_assert_eq!(&*few, &*model);
            }
            prop_assert_eq!(few.into_iter().collect::<Vec<_>>(), model);
        }
    }
}
