//! What goes in and out of the clients: what arrives, what they send, what they tell and ask the app.

use super::{
    channels,
    network::{Answer, Arrival, Toward},
    side::Side,
    world::{World, unix_ms},
};
use crate::clients::grant;
use aes_gcm::{
    Aes256Gcm, KeyInit as _,
    aead::{AeadInOut as _, inout::InOutBuf},
};
use sealwire_client::{ClientError, ConnectionId, Event, Transmit};
use sealwire_protocol::{AesGcmInput, Code};

/// A platform may be busy.
const SLOWEST_OPENING_MS: u64 = 200;
/// How long a process that signs tokens remembers the keys.
const REMEMBERED_MS: u64 = 5_000;

impl World {
    pub(super) fn arrive(&mut self, arrival: Arrival) {
        let relay_now = self.relay_now();
        match arrival {
            Arrival::Connect(link) => match self.sides[self.network.links[link as usize].client].offline {
                Some(true) => {}
                Some(false) => {
                    self.network.send(
                        self.now_ms,
                        link,
                        Toward::Client,
                        Arrival::ClosedAtClient(link, Some(1006)),
                    );
                }
                None => {
                    self.relay.accept(link, relay_now);
                    self.network.send(self.now_ms, link, Toward::Client, Arrival::Opened(link));
                }
            },
            Arrival::AtRelay(link, message) => self.relay.receive(link, message, relay_now),
            Arrival::ClosedAtRelay(link) => self.relay.remove(link, relay_now),
            Arrival::Opened(link) => {
                let (now, connection) = self.at_client(link);
                self.side(link).core.handle_opened(now, connection);
            }
            Arrival::AtClient(link, message) => {
                let (now, connection) = self.at_client(link);
                self.side(link).core.handle_frame(now, connection, Some(message));
            }
            Arrival::ClosedAtClient(link, code) => {
                let (now, connection) = self.at_client(link);
                self.side(link).connection.take_if(|current| *current == connection);
                self.side(link).core.handle_closed(now, connection, code);
            }
            Arrival::Session(client, fetch, answer) => {
                let now = self.client_now(client);
                let core = &mut self.sides[client].core;
                match answer {
                    // Sessions for a key that is missing are minted with all that there are, and so are those here.
                    Some(Answer { signed_at, .. }) => {
                        let keys = self.conditions.keys_at(signed_at);
                        let grant = grant(&keys, unix_ms(signed_at), self.conditions.session_seconds);
                        core.handle_session(now, fetch, grant);
                    }
                    None => core.handle_session_failed(now, fetch, unavailable()),
                }
            }
            Arrival::Token(client, renewal, answer) => {
                let now = self.client_now(client);
                let core = &mut self.sides[client].core;
                match answer {
                    Some(Answer { signed_at, keys_of }) => {
                        let keys = self.conditions.keys_at(keys_of);
                        let seconds = self.conditions.token_seconds;
                        core.handle_token(now, renewal, &channels::token(&keys, unix_ms(signed_at), seconds));
                    }
                    None => core.handle_token_failed(now, renewal, unavailable()),
                }
            }
            Arrival::Opening(client, opening, plaintext) => {
                let now = self.client_now(client);
                self.sides[client].core.handle_decrypted(now, opening, plaintext);
            }
            // Its timers are late, and it finds out by itself.
            Arrival::Awake => {}
        }
    }

    fn at_client(&self, link: u64) -> (sealwire_client::Now, ConnectionId) {
        let link = &self.network.links[link as usize];
        (self.client_now(link.client), link.connection)
    }

    fn side(&mut self, link: u64) -> &mut Side {
        &mut self.sides[self.network.links[link as usize].client]
    }

    pub(super) fn transmit(&mut self, client: usize, transmit: Transmit) {
        self.say(|| format!("client {client}: {transmit:?}"));
        let (link, arrival) = match transmit {
            Transmit::Connect { connection, .. } => {
                self.sides[client].connection = Some(connection);
                self.sides[client].connects += 1;
                let delay = 1 + self.random.below(self.conditions.delay_ms);
                let link = self.network.open(client, connection, delay);
                (link, Arrival::Connect(link))
            }
            Transmit::Send { connection, bytes } => {
                let Some(link) = self.network.link(client, connection) else { return };
                (link, Arrival::AtRelay(link, bytes.into()))
            }
            Transmit::Disconnect { connection, .. } => {
                self.sides[client].connection.take_if(|current| *current == connection);
                let Some(link) = self.network.link(client, connection) else { return };
                (link, Arrival::ClosedAtRelay(link))
            }
        };
        self.network.send(self.now_ms, link, Toward::Relay, arrival);
    }

    pub(super) fn tell(&mut self, client: usize, event: Event) -> Result<(), String> {
        let (now, model) = (self.now_ms, &mut self.model);
        match event {
            Event::SubscribeDone { subscription, result } => {
                model.subscribe_done(client, subscription, result, now)
            }
            Event::UnsubscribeDone { subscription } => model.unsubscribe_done(client, subscription),
            Event::PublishDone { publish, result } => model.publish_done(client, publish, result, now),
            Event::Message { subscriptions, message } => {
                let number =
                    message.payload.trim_end().parse().map_err(|_| "a payload changed".to_owned())?;
                subscriptions.iter().try_for_each(|id| model.message(client, *id, message.position, number))
            }
            Event::Notice { subscriptions, notice } => {
                subscriptions.iter().try_for_each(|id| model.notice(client, *id, &notice, now))
            }
            Event::SessionRequested { fetch, .. } => {
                let (at, answer) = self.answer();
                self.network.at(at, Arrival::Session(client, fetch, answer));
                Ok(())
            }
            Event::TokenRequested { renewal, .. } => {
                let (at, answer) = self.answer();
                self.network.at(at, Arrival::Token(client, renewal, answer));
                Ok(())
            }
            Event::DecryptRequested { decryption: opening, input } => {
                let at = now + self.random.below(SLOWEST_OPENING_MS);
                let plaintext = (self.random.below(8) > 0).then(|| decrypt(&input)).flatten();
                self.network.at(at, Arrival::Opening(client, opening, plaintext));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// When the app answers, and with what. It signs when it is asked, or when it answers; and a token with the keys of up
    /// to five seconds before.
    fn answer(&mut self) -> (u64, Option<Answer>) {
        let at = self.now_ms + 1 + self.random.below(self.conditions.answer_ms);
        self.last_answer_at = self.last_answer_at.max(at);
        let succeeds = self.random.below(100) >= self.conditions.failures;
        let is_reliable = succeeds && self.conditions.answer_ms <= 10_000;
        self.model.may_end |= !is_reliable;
        self.model.may_be_unreadable |= !is_reliable;
        let signed_at = if self.random.below(2) == 0 { at } else { self.now_ms };
        let keys_of = signed_at.saturating_sub(self.random.below(2) * REMEMBERED_MS);
        (at, succeeds.then_some(Answer { signed_at, keys_of }))
    }
}

/// As a platform does it.
fn decrypt(input: &AesGcmInput) -> Option<Vec<u8>> {
    let (ciphertext, tag) = input.ciphertext.split_last_chunk::<16>()?;
    let mut plaintext = ciphertext.to_vec();
    let cipher = Aes256Gcm::new(&(*input.key).into());
    let buffer = InOutBuf::from(&mut plaintext[..]);
    let opened =
        cipher.decrypt_inout_detached(&input.nonce.into(), &input.associated_data, buffer, &(*tag).into());
    opened.ok().map(|()| plaintext)
}

fn unavailable() -> ClientError {
    ClientError::new(Code::SessionUnavailable, "the app cannot answer now")
}
