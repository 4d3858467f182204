//! The clocks and the randomness of the page.

use crate::convert::whole;
use sealwire_client::{Entropy, Instant, Now};
use sealwire_protocol::UnixMillis;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

pub(super) fn now() -> Now {
    Now { instant: Instant(whole(performance_now())), unix: UnixMillis(whole(js_sys::Date::now())) }
}

/// Randomness from `crypto.getRandomValues`.
pub(super) struct PageEntropy(());

impl PageEntropy {
    /// Returns `None` if the page has no source of randomness.
    pub(super) fn open() -> Option<Self> {
        getrandom::fill(&mut [0; 8]).ok().map(|()| Self(()))
    }
}

impl Entropy for PageEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the page had a source of randomness when the client was created");
    }
}
