//! The channels of the schedules: of every kind that there is, and the tokens of the one that needs them.

use crate::{
    clients::{INSTALLATION, context},
    relay::{APP, signing_key},
};
use sealwire_client::ChannelSpec;
use sealwire_protocol::{
    ChannelAddress, ChannelId, ClaimsKeyring, EncryptionKey, RoutingKey, Scope, UnixSeconds,
    tokens::{ChannelClaims, Permissions, sign},
};

/// How many channels there are.
pub(super) const CHANNELS: usize = 4;
/// The channel that is joined with a token.
pub(super) const GUARDED: usize = 3;
const NAMES: [&str; CHANNELS] = ["absences", "absences", "rotation", "guarded"];
const CLAIMS: &str = "{}";

/// A channel as an app names it; the guarded one with a token that is valid from `now_ms` on.
pub(super) fn spec(channel: usize, keys: &[u8], now_ms: u64, seconds: u64) -> ChannelSpec {
    let scope = match channel {
        1 => Some(Vec::new()),
        2 => Some(vec!["dashboard".into()]),
        _ => None,
    };
    let token = (channel == GUARDED).then(|| token(keys, now_ms, seconds));
    ChannelSpec { name: NAMES[channel].into(), scope, token }
}

pub(super) fn token(keys: &[u8], now_ms: u64, seconds: u64) -> String {
    let name = NAMES[GUARDED];
    let validity = (UnixSeconds(now_ms / 1000), UnixSeconds(now_ms / 1000 + seconds));
    let claims =
        ChannelClaims::new(APP.into(), INSTALLATION.into(), name.into(), tag(), Permissions::ALL, validity);
    let keys: Vec<_> = keys
        .iter()
        .map(|number| {
            let key = EncryptionKey::new([*number; 32]);
            (key.id(), key.claims_key(APP, INSTALLATION, name, CLAIMS))
        })
        .collect();
    let jwt = sign(&claims, &signing_key()).expect("claims within the limits");
    ClaimsKeyring::write(&jwt, keys.iter().map(|(id, key)| (*id, key)))
}

pub(super) fn ids() -> [ChannelId; CHANNELS] {
    let (whole, tag) = (context(), tag());
    let dashboard = whole.keep(&["dashboard".to_owned()]).expect("a property of the context");
    let scopes = [whole.clone(), Scope::default(), dashboard, whole];
    std::array::from_fn(|channel| {
        let claims_tag = (channel == GUARDED).then_some(&tag);
        let (scope, name) = (&scopes[channel], NAMES[channel]);
        ChannelAddress { app: APP, installation: INSTALLATION, scope, claims_tag, name }.id()
    })
}

fn tag() -> [u8; 32] {
    RoutingKey::new([8; 32]).claims_tag(APP, INSTALLATION, NAMES[GUARDED], CLAIMS)
}
