//! The channels of the schedules, one for each kind of scope, and the tokens of the one that needs them.

use crate::{
    clients::{INSTALLATION, Seeded, context, grant},
    relay::{APP, signing_key},
};
use sealwire_client::{ChannelSpec, Entropy as _};
use sealwire_protocol::{
    Certificate, Certified, ChannelAddress, ChannelId, ChannelKey, ClaimsKeyring, EncryptionKey, KeyId,
    Message, RoutingKey, Scope, SenderId, Signature, Stamp, UnixMillis, UnixSeconds, seal,
    tokens::{ChannelClaims, Permissions, sign},
    wire::{Channel, Publish},
};

/// The number of channels.
pub(crate) const CHANNELS: usize = 4;
/// The channel that needs a token.
pub(crate) const GUARDED: usize = 3;
const NAMES: [&str; CHANNELS] = ["absences", "absences", "rotation", "guarded"];
const CLAIMS: &str = "{}";

/// Returns a channel as an app names it. The guarded one has a token that is valid from `now_ms`.
pub(crate) fn spec(channel: usize, keys: &[u8], now_ms: u64, seconds: u64) -> ChannelSpec {
    let scope = match channel {
        1 => Some(Vec::new()),
        2 => Some(vec!["dashboard".into()]),
        _ => None,
    };
    let token = (channel == GUARDED).then(|| token(keys, now_ms, seconds));
    ChannelSpec { name: NAMES[channel].into(), scope, token }
}

pub(crate) fn token(keys: &[u8], now_ms: u64, seconds: u64) -> String {
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
    let jwt = sign(&claims, &signing_key()).expect("the claims are within the limits");
    ClaimsKeyring::write(&jwt, keys.iter().map(|(id, key)| (*id, key)))
}

/// The signature of the app's functions, in place of a real one.
pub(crate) const SIGNATURE: Signature = Signature([7; Signature::LEN]);

/// The signature of a page, in place of a real one.
pub(crate) const PAGE_SIGNATURE: Signature = Signature([8; Signature::LEN]);

/// Returns the account of a client's page.
pub(crate) fn account(client: usize) -> String {
    format!("account-{client}")
}

/// Returns the certificate of a client's page.
pub(crate) fn certificate(client: usize, expires_at: UnixMillis) -> Certificate {
    let public_key = &[u8::try_from(client).expect("a few clients"); Certificate::PUBLIC_KEY_LEN];
    Certified { public_key, expires_at, account: &account(client) }.sign(SIGNATURE)
}

/// Returns a publish of the app's resolver, with the session token that it uses in this simulation.
pub(crate) fn publication(
    channel: usize,
    key: u8,
    now_ms: u64,
    payload: &str,
    random: &mut Seeded,
) -> (String, Publish) {
    let (name, scope, channel_key) = (NAMES[channel], scope(channel), channel_key(channel, key));
    let guarded = channel == GUARDED;
    let (mut sender, mut nonce, mut id) = (SenderId([0; 12]), [0; 12], [0; 16]);
    random.fill(&mut sender.0);
    random.fill(&mut nonce);
    random.fill(&mut id);
    let stamp = Stamp { number: 1, confirmed: 0 };
    let message = Message {
        sender,
        stamp,
        published_at: UnixMillis(now_ms),
        event: "",
        payload,
        signature: Some(&SIGNATURE.into()),
    };
    let sealed = seal(&channel_key, nonce, ids()[channel], &message);
    let wire = Channel {
        name: name.into(),
        properties: scope.iter().map(|(property, _)| property.to_owned()).collect(),
        token: if guarded { jwt(&token(&[1], now_ms, 60)) } else { String::new() },
    };
    let publish = Publish {
        request: 1,
        channel: Some(wire),
        event: String::new(),
        sealed: sealed.expect("the payload is short").into(),
        id: id.to_vec().into(),
        follows: 0,
        content: Default::default(),
    };
    (grant(&[1], now_ms, 60).token, publish)
}

fn scope(channel: usize) -> Scope {
    let whole = context();
    match channel {
        1 => Scope::default(),
        2 => whole.keep(&["dashboard".to_owned()]).expect("the context has the property"),
        _ => whole,
    }
}

fn channel_key(channel: usize, key: u8) -> ChannelKey {
    let (name, key) = (NAMES[channel], EncryptionKey::new([key; 32]));
    let claims_key = (channel == GUARDED).then(|| key.claims_key(APP, INSTALLATION, name, CLAIMS));
    key.scope_key(APP, INSTALLATION, &scope(channel)).channel_key(claims_key.as_ref(), name)
}

/// Returns the key of a channel under the encryption key with this id, which is one of a schedule.
pub(crate) fn key(channel: usize, id: KeyId) -> ChannelKey {
    let number = (1..=u8::MAX).find(|number| EncryptionKey::new([*number; 32]).id() == id);
    channel_key(channel, number.expect("the schedule has the key"))
}

/// Returns the index of a channel that a client names.
pub(crate) fn index(channel: &Channel) -> usize {
    let is = |index: &usize| {
        channel.name == NAMES[*index]
            && channel.properties.is_empty() == scope(*index).iter().next().is_none()
    };
    (0..CHANNELS).find(is).expect("the app has the channel")
}

fn jwt(token: &str) -> String {
    token.split('~').next().unwrap_or_default().to_owned()
}

pub(crate) fn ids() -> [ChannelId; CHANNELS] {
    let tag = tag();
    std::array::from_fn(|channel| {
        let claims_tag = (channel == GUARDED).then_some(&tag);
        let (scope, name) = (scope(channel), NAMES[channel]);
        ChannelAddress { app: APP, installation: INSTALLATION, scope: &scope, claims_tag, name }.id()
    })
}

fn tag() -> [u8; 32] {
    RoutingKey::new([8; 32]).claims_tag(APP, INSTALLATION, NAMES[GUARDED], CLAIMS)
}
