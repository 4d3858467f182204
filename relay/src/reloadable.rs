//! A value that a reload replaces while others use it: whoever took it keeps what was taken.

use crate::vital;
use std::sync::{Arc, RwLock};

#[derive(Debug, Default)]
pub(crate) struct Reloadable<T>(RwLock<Arc<T>>);

impl<T> Reloadable<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(RwLock::new(Arc::new(value)))
    }

    pub(crate) fn current(&self) -> Arc<T> {
        vital::sound(self.0.read()).clone()
    }

    pub(crate) fn replace(&self, value: T) {
        *vital::sound(self.0.write()) = Arc::new(value);
    }
}
