//! The event filter of a subscription.

use std::sync::Arc;

/// The bytes of a filter besides its names: the shared box and the allocator's overhead.
const FILTER: usize = 80;

/// The event names that a subscription accepts; cheap to clone, and one word if it accepts every event. Each name is
/// prefixed with its length in one byte, so that a filter needs little more memory than its names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter(Option<Arc<Box<[u8]>>>);

impl EventFilter {
    /// Creates a filter of these events, or of every event if the list is empty. Ignores names longer than
    /// [`MAX_EVENT_NAME`], which no publication has.
    ///
    /// [`MAX_EVENT_NAME`]: sealwire_protocol::limits::MAX_EVENT_NAME
    #[must_use]
    pub fn new(events: &[String]) -> Self {
        if events.is_empty() {
            return Self(None);
        }
        let mut names = Vec::with_capacity(names_len(events) + events.len());
        for event in events {
            if let Ok(len) = u8::try_from(event.len()) {
                names.push(len);
                names.extend_from_slice(event.as_bytes());
            }
        }
        Self(Some(Arc::new(names.into_boxed_slice())))
    }

    /// Returns whether the subscription accepts a publication with this event.
    #[must_use]
    #[inline]
    pub fn accepts(&self, event: &str) -> bool {
        self.0.is_none() || self.lists(event)
    }

    /// Not inlined: nearly all subscriptions have no filter, and the search would bloat the loop over them.
    #[inline(never)]
    fn lists(&self, event: &str) -> bool {
        self.names().any(|name| name == event.as_bytes())
    }

    /// Returns the bytes of the names.
    pub(super) fn names_len(&self) -> usize {
        self.names().map(<[u8]>::len).sum()
    }

    /// Returns the bytes of the filter.
    pub(super) fn footprint(&self) -> usize {
        self.0.as_ref().map_or(0, |names| FILTER + names.len())
    }

    fn names(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.0.as_ref().map_or(&[][..], |names| &names[..]);
        std::iter::from_fn(move || {
            let (len, tail) = rest.split_first()?;
            let (name, after) = tail.split_at_checked(usize::from(*len))?;
            rest = after;
            Some(name)
        })
    }
}

/// Returns the bytes of the names.
pub(super) fn names_len(events: &[String]) -> usize {
    events.iter().map(String::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_accepts_its_events_and_no_others() {
        let named = |events: &[&str]| {
            EventFilter::new(&events.iter().map(|event| (*event).to_owned()).collect::<Vec<_>>())
        };
        let long = "e".repeat(255);
        let filter = named(&["created", "", "löschen", &long]);
        for event in ["created", "", "löschen", &long] {
            assert!(filter.accepts(event), "{event}");
        }
        for event in ["create", "createdd", "7created", "e", "\u{7}created", "created\u{0}"] {
            assert!(!filter.accepts(event), "{event}");
        }
        assert!(EventFilter::default().accepts("anything") && named(&[]).accepts(""));
        // A filter whose only name is ignored accepts nothing, not everything.
        let filter = named(&[&"e".repeat(256)]);
        assert!(!filter.accepts("") && !filter.accepts(&"e".repeat(256)));
        assert_eq!(named(&["ab", "", "cde"]).names_len(), 5);
        assert_eq!([named(&["ab"]).footprint(), named(&[]).footprint()], [FILTER + 3, 0]);
    }
}
