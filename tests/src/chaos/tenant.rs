//! An installation, as its resolver acts for it: sessions for pages, and sealed messages for `POST /v1/publish`.

use crate::Installation;
use sealwire_client::SessionGrant;
use sealwire_protocol::{ChannelId, Message, Numbered, RANDOM_LEN, Scope, UnixMillis, seal};
use std::{sync::Arc, time::SystemTime};

/// The lifetime of a session in seconds. A long run renews sessions while faults last.
const LIFETIME: u64 = 300;

/// An installation with the context of its pages.
#[derive(Clone)]
pub(super) struct Tenant {
    installation: Arc<Installation>,
    context: Scope,
}

impl Tenant {
    pub(super) fn new(installation: Arc<Installation>) -> Self {
        let mut context = Scope::default();
        context.insert("dashboard", "10001").expect("the property is valid");
        Self { installation, context }
    }

    /// Returns the session that the resolver would grant. The shell of the client chooses the relay, not the address.
    pub(super) fn grant(&self, account: &str) -> SessionGrant {
        self.installation.grant(account, &self.context, "ws://127.0.0.1/v1/realtime", LIFETIME)
    }

    /// Returns a backend token.
    pub(super) fn backend_token(&self) -> String {
        self.installation.backend()
    }

    /// Returns the id of a channel of the whole context.
    pub(super) fn channel_id(&self, channel: &str) -> ChannelId {
        self.installation.channel_id(&self.context, channel)
    }

    /// Seals a payload for a channel of the whole context.
    pub(super) fn seal(
        &self,
        channel: &str,
        payload: &str,
        numbered: Numbered,
        random: [u8; RANDOM_LEN],
    ) -> Vec<u8> {
        let key = self.installation.channel_key(&self.context, channel);
        let Numbered { sender, stamp, .. } = numbered;
        let published_at = UnixMillis(now_ms());
        let message = Message { sender, stamp, published_at, event: "", payload, signature: None };
        seal(&key, random, self.channel_id(channel), &message).expect("the payload is short")
    }

    /// Returns the scope of the channels as JSON.
    pub(super) fn scope(&self) -> serde_json::Value {
        self.context
            .iter()
            .map(|(property, value)| (property.to_owned(), serde_json::Value::from(value)))
            .collect()
    }
}

/// Returns the wall-clock time in milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
