//! Fuzz target of `POST /v1/publish`.

use crate::{APP, NOW, keyring};
use sealwire_protocol::{UnixSeconds, limits, tokens::BackendClaims};
use sealwire_relay::{SigningKeys, fuzzing};
use std::sync::LazyLock;

static KEYS: LazyLock<SigningKeys> = LazyLock::new(|| SigningKeys::new(keyring().clone()));

/// Reads the body of `POST /v1/publish`.
pub fn publish_body(data: &[u8]) {
    let times = (UnixSeconds(NOW), UnixSeconds(NOW + 60));
    let claims = BackendClaims::new(APP.into(), "installation".into(), times);
    let drafts = fuzzing::publish_body(&KEYS, &claims, data);
    assert!(drafts.len() <= limits::MAX_BATCH, "the body has more messages than the limit");
    for draft in drafts {
        match draft {
            Ok(draft) => {
                assert!(draft.sealed.len() <= limits::MAX_SEALED, "a message is longer than the limit");
                assert!(
                    draft.event.len() <= limits::MAX_EVENT_NAME,
                    "an event name is longer than the limit"
                );
            }
            Err(refused) => assert!(refused.message.len() < 1000, "an error message has 1000 bytes or more"),
        }
    }
}
