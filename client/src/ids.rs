//! The ids of connections, calls and requests, which the client never uses twice.

macro_rules! ids {
    ($($(#[doc = $doc:literal])+ $name:ident;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl From<$name> for u32 {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

ids! {
    /// Id of a WebSocket. Every attempt to connect gets a new one, so that late events of an old WebSocket are recognised.
    ConnectionId;
    /// Id of a subscription. Several subscriptions may share a channel.
    SubscriptionId;
    /// Id of a publish call.
    PublishId;
    /// Id of a `refresh_token` call.
    RefreshId;
    /// Id of a call to enter or leave a presence.
    EnterId;
    /// Id of a request for a session.
    FetchId;
    /// Id of a request for a channel token.
    RenewalId;
    /// Id of a message that the host decrypts.
    DecryptionId;
    /// Id of a text that the host signs.
    SigningId;
    /// Id of a message or an entry with a signature that the host verifies.
    VerificationId;
}
