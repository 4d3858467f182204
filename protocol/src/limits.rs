//! The limits of the protocol, which relay and clients enforce. An operator can lower some of them and raise none.

/// Longest token accepted, in bytes.
pub const MAX_TOKEN: usize = 8 * 1024;
/// Longest lifetime of a session or channel token, in seconds.
pub const MAX_TOKEN_LIFETIME: u64 = 24 * 60 * 60;
/// Longest lifetime of a backend token, in seconds.
pub const MAX_BACKEND_TOKEN_LIFETIME: u64 = 5 * 60;
/// Default lifetime of a session or channel token, in seconds.
pub const DEFAULT_TOKEN_LIFETIME: u64 = 15 * 60;
/// Tolerance for a signer's clock that is ahead of the relay's, in seconds.
pub const CLOCK_SKEW: u64 = 60;
/// Shortest signing secret, in bytes: the output size of SHA-512 (RFC 7518 section 3.2).
pub const MIN_SIGNING_SECRET: usize = 64;
/// Longest signing secret, in bytes.
pub const MAX_SIGNING_SECRET: usize = 1024;
/// Length of an authentication tag, in bytes: the output size of SHA-512.
pub const TAG: usize = 64;
/// Longest key id (`kid`), in bytes.
pub const MAX_KEY_ID: usize = 64;
/// Longest app id, in bytes.
pub const MAX_APP: usize = 128;
/// Longest installation id, in bytes.
pub const MAX_INSTALLATION: usize = 256;
/// Longest account id, in bytes.
pub const MAX_ACCOUNT: usize = 256;
/// Maximum number of properties of a scope, and so of a session's context. A session holds a key for each of the 2ⁿ
/// subsets of its context, which is 8 KiB at this limit.
pub const MAX_PROPERTIES: usize = 8;
/// Longest name of a property, in bytes.
pub const MAX_PROPERTY_NAME: usize = 64;
/// Longest value of a property, in bytes.
pub const MAX_PROPERTY_VALUE: usize = 256;
/// Longest channel name, event name or property value that has a name tag, in bytes. The tag then has 255 bytes.
pub const MAX_TAGGED_NAME: usize = 159;
/// Maximum number of encryption keys that an installation has in use, and so of keys in a session or a channel token.
pub const MAX_KEY_VERSIONS: usize = 16;
/// Time for which a process may use a cached installation secret, in seconds.
pub const MAX_SECRET_AGE: u64 = 60;
/// Time for which an encryption key stays in use after it was replaced, in seconds: 24 h and 10 min.
///
/// A process with a cached secret issues sessions and channel tokens without the new key for [`MAX_SECRET_AGE`]. Such a
/// session or token lives for [`MAX_TOKEN_LIFETIME`], and its last message is replayed for [`MAX_REPLAY_SECONDS`]. The
/// clocks of three processes (the one that rotates, the one that signs and the one that drops the key) may each be
/// wrong by [`CLOCK_SKEW`]. The remaining 4 minutes are for storage that is slow to write or to read a secret.
pub const KEY_OVERLAP: u64 =
    MAX_TOKEN_LIFETIME + MAX_SECRET_AGE + MAX_REPLAY_SECONDS as u64 + 3 * CLOCK_SKEW + 4 * 60;
/// Longest channel name, in bytes.
pub const MAX_CHANNEL_NAME: usize = 255;
/// Longest event name, in bytes.
pub const MAX_EVENT_NAME: usize = 255;
/// Maximum number of events in the filter of one subscription.
pub const MAX_EVENT_FILTERS: usize = 32;
/// Maximum length of all event names in one filter together, in bytes.
pub const MAX_FILTER_BYTES: usize = 1024;
/// Maximum length of all event names in the filters of one session together, in bytes.
pub const MAX_SESSION_FILTER_BYTES: usize = 16 * 1024;
/// Longest payload, in bytes of UTF-8 JSON.
pub const MAX_PAYLOAD: usize = 128 * 1024;
/// Longest sealed message, in bytes. The longest payload fits when it is padded and sealed.
pub const MAX_SEALED: usize = 133 * 1024;
/// Longest message from a client, in bytes. A sealed message fits with its channel, token and event.
pub const MAX_FRAME: usize = 144 * 1024;
/// Longest message from a client before its session is established, in bytes. `Hello` fits with its token.
pub const MAX_FIRST_FRAME: usize = 16 * 1024;
/// Longest canonical form of a channel token's claims, in bytes.
pub const MAX_CLAIMS: usize = 4 * 1024;
/// Length of an idempotency id on the wire, in bytes.
pub const IDEMPOTENCY_ID: usize = 16;
/// Length of the digest of a message's content on the wire, in bytes.
pub const CONTENT: usize = 16;
/// Longest idempotency id that an app chooses, in bytes of UTF-8. The id on the wire is derived from it.
pub const MAX_APP_ID: usize = 255;
/// Maximum number of subscriptions of one session.
pub const MAX_SUBSCRIPTIONS: usize = 256;
/// Length of the id of a member of a presence, in bytes.
pub const MEMBER_ID: usize = 16;
/// Longest sealed entry of a member of a presence, in bytes.
pub const MAX_PRESENCE_ENTRY: usize = 16 * 1024;
/// Longest data of a member of a presence, in bytes of UTF-8 JSON. The sealed entry, with the longest account, fits the
/// default limit of a relay.
pub const MAX_PRESENCE_DATA: usize = 3 * 1024;
/// Longest time after which a member seals its entry again, in seconds.
pub const PRESENCE_RESEAL: u64 = 10 * 60;
/// Age from which a member's entry is no longer shown, in seconds: a member seals its entry again within
/// [`PRESENCE_RESEAL`], may have to reconnect for that, and the clocks of two members may differ by [`CLOCK_SKEW`].
pub const MAX_PRESENCE_AGE: u64 = PRESENCE_RESEAL + 4 * 60 + CLOCK_SKEW;
/// Longest `Presence` message, in bytes. One entry of the maximum length always fits.
pub const MAX_PRESENCE_FRAME: usize = 128 * 1024;
/// Maximum number of marks in one `Ping`.
pub const MAX_MARKS: usize = 64;
/// Maximum number of sessions on one WebSocket.
pub const MAX_SESSIONS: usize = 32;
/// Longest replay, in seconds.
pub const MAX_REPLAY_SECONDS: u32 = 120;
/// Longest time between the sealing of a message and its arrival, in seconds: a publication waits for the relay for up to
/// two minutes by default and is replayed for [`MAX_REPLAY_SECONDS`], and the clocks of sender and receiver may differ by
/// [`CLOCK_SKEW`].
pub const MAX_MESSAGE_AGE: u64 = 120 + MAX_REPLAY_SECONDS as u64 + CLOCK_SKEW;
/// Maximum number of messages in one `POST /v1/publish`.
pub const MAX_BATCH: usize = 100;
/// Longest body of one `POST /v1/publish`, in bytes.
pub const MAX_BODY: usize = 2 * 1024 * 1024;
