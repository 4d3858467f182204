//! Which events a subscription wants.

use std::sync::Arc;

/// The events of one subscription; cheap to clone, and one word where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter(Option<Arc<Box<[Box<str>]>>>);

impl EventFilter {
    /// Only these events; every event, where none is named.
    #[must_use]
    pub fn new(events: Vec<String>) -> Self {
        if events.is_empty() {
            return Self(None);
        }
        Self(Some(Arc::new(events.into_iter().map(String::into_boxed_str).collect())))
    }

    /// Whether the subscription wants a publication with this event.
    #[must_use]
    pub fn accepts(&self, event: &str) -> bool {
        self.0.as_ref().is_none_or(|events| events.iter().any(|wanted| &**wanted == event))
    }
}
