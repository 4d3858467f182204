//! The input and output of the client cores: arrivals, transmissions, and events for the app.

use super::{
    channels::{self, PAGE_SIGNATURE, SIGNATURE},
    machine::{Machine, Offline},
    network::{Answer, Arrival, Direction},
    world::{World, unix_ms},
};
use crate::clients::grant;
use aes_gcm::{
    Aes256Gcm, KeyInit as _,
    aead::{AeadInOut as _, inout::InOutBuf},
};
use sealwire_client::{
    Author, ClientError, ConnectionId, Event, FetchId, Notice, PublishId, RenewalId, SignedText, SigningId,
    Transmit,
};
use sealwire_protocol::{AesGcmInput, Code, wire::ToRelay};

/// The longest time that the platform takes to decrypt a message.
const MAX_DECRYPTION_MS: u64 = 200;
/// The time for which a process that signs tokens caches the keys.
const KEY_CACHE_MS: u64 = 5_000;

impl World {
    pub(super) fn arrive(&mut self, arrival: Arrival) {
        let relay_now = self.relay_now();
        match arrival {
            Arrival::Connect(link) => match self.machines[self.network.links[link as usize].client].offline {
                Some(Offline::GetsNoAnswer) => {}
                Some(Offline::Fails) => {
                    self.network.send(
                        self.now_ms,
                        link,
                        Direction::ToClient,
                        Arrival::ClosedAtClient(link, Some(1006)),
                    );
                }
                None => {
                    self.relay.accept(link, relay_now);
                    self.network.send(self.now_ms, link, Direction::ToClient, Arrival::Opened(link));
                }
            },
            Arrival::AtRelay(link, message) => self.relay.receive(link, message, relay_now),
            Arrival::ClosedAtRelay(link) => self.relay.remove(link, relay_now),
            Arrival::Opened(link) => {
                let (now, connection) = self.at_client(link);
                self.machine(link).core.handle_opened(now, connection);
            }
            Arrival::AtClient(link, message) => {
                let (now, connection) = self.at_client(link);
                self.machine(link).core.handle_frame(now, connection, Some(message));
            }
            Arrival::ClosedAtClient(link, code) => {
                let (now, connection) = self.at_client(link);
                self.machine(link).connection.take_if(|current| *current == connection);
                self.machine(link).core.handle_closed(now, connection, code);
            }
            Arrival::Session(client, fetch, certify, answer) => {
                self.session_arrives(client, fetch, certify, answer);
            }
            Arrival::Token(client, renewal, answer) => self.token_arrives(client, renewal, answer),
            Arrival::Verified(client, verification, is_valid) => {
                let now = self.client_now(client);
                self.machines[client].core.handle_verified(now, verification, is_valid);
            }
            Arrival::Signed(client, signing) => {
                let now = self.client_now(client);
                self.machines[client].core.handle_signed(now, signing, Some(PAGE_SIGNATURE));
            }
            Arrival::Opening(client, opening, plaintext) => {
                let now = self.client_now(client);
                self.machines[client].core.handle_decrypted(now, opening, plaintext);
            }
            // The client receives no event; it detects the sleep by its late timers.
            Arrival::Awake => {}
        }
    }

    fn session_arrives(&mut self, client: usize, fetch: FetchId, certify: bool, answer: Option<Answer>) {
        let now = self.client_now(client);
        let core = &mut self.machines[client].core;
        match answer {
            // A session always has the newest keys, because a resolver reads them again for a missing key.
            Some(Answer { signed_at, .. }) => {
                let keys = self.conditions.keys_at(signed_at);
                let mut grant = grant(&keys, unix_ms(signed_at), self.conditions.session_seconds);
                let certificate = channels::certificate(client, grant.expires_at.millis()).to_base64url();
                grant.keys.iter_mut().for_each(|key| key.certificate = certify.then(|| certificate.clone()));
                core.handle_session(now, fetch, grant);
            }
            None => core.handle_session_failed(now, fetch, unavailable()),
        }
    }

    fn token_arrives(&mut self, client: usize, renewal: RenewalId, answer: Option<Answer>) {
        let now = self.client_now(client);
        let core = &mut self.machines[client].core;
        match answer {
            Some(Answer { signed_at, keys_read_at }) => {
                let keys = self.conditions.keys_at(keys_read_at);
                let seconds = self.conditions.token_seconds;
                core.handle_token(now, renewal, &channels::token(&keys, unix_ms(signed_at), seconds));
            }
            None => core.handle_token_failed(now, renewal, unavailable()),
        }
    }

    fn at_client(&self, link: u64) -> (sealwire_client::Now, ConnectionId) {
        let link = &self.network.links[link as usize];
        (self.client_now(link.client), link.connection)
    }

    fn machine(&mut self, link: u64) -> &mut Machine {
        &mut self.machines[self.network.links[link as usize].client]
    }

    pub(super) fn transmit(&mut self, client: usize, transmit: Transmit) {
        self.trace(|| format!("client {client}: {transmit:?}"));
        let (link, arrival) = match transmit {
            Transmit::Connect { connection, .. } => {
                self.machines[client].connection = Some(connection);
                self.machines[client].connects += 1;
                let delay = 1 + self.random.below(self.conditions.delay_ms);
                let link = self.network.open(client, connection, delay);
                (link, Arrival::Connect(link))
            }
            Transmit::Send { connection, bytes } => {
                let Some(link) = self.network.link(client, connection) else { return };
                if let Some(lies) = &mut self.lies
                    && let Ok(ToRelay::Publish(publish)) = ToRelay::from_bytes(bytes.clone().into())
                {
                    lies.witness.sent(&publish, self.now_ms);
                }
                (link, Arrival::AtRelay(link, bytes.into()))
            }
            Transmit::Disconnect { connection, .. } => {
                self.machines[client].connection.take_if(|current| *current == connection);
                let Some(link) = self.network.link(client, connection) else { return };
                (link, Arrival::ClosedAtRelay(link))
            }
        };
        self.network.send(self.now_ms, link, Direction::ToRelay, arrival);
    }

    /// Handles an event of a client for its app. Returns an explanation if the event breaks a guarantee.
    pub(super) fn handle_event(&mut self, client: usize, event: Event) -> Result<(), String> {
        self.check_authors(client, &event)?;
        let (now, model) = (self.now_ms, &mut self.model);
        match event {
            Event::SubscribeDone { subscription, result } => {
                model.subscribe_done(client, subscription, result, now)
            }
            Event::UnsubscribeDone { subscription } => model.unsubscribe_done(client, subscription),
            Event::PublishDone { publish, result } => {
                if let (Some(lies), Some(call)) = (&mut self.lies, model.publish_call(client, publish)) {
                    lies.witness.ended(call, result.is_ok());
                }
                model.publish_done(client, publish, result, now)
            }
            Event::Message { subscriptions, message } => {
                let number =
                    message.payload.trim_end().parse().map_err(|_| "a payload was altered".to_owned())?;
                subscriptions.iter().try_for_each(|id| match &mut self.lies {
                    Some(lies) => {
                        let channel = model.subscriptions[&(client, *id)].channel;
                        lies.witness.message((client, *id), channel, number, now)
                    }
                    None => model.message(client, *id, message.position, number),
                })
            }
            Event::Notice { subscriptions, notice } => {
                subscriptions.iter().try_for_each(|id| match &mut self.lies {
                    Some(lies) => lies.notice(model, (client, *id), &notice),
                    None => model.notice(client, *id, &notice, now),
                })
            }
            Event::Standing { subscription, .. } => model.standing(client, subscription),
            Event::SessionRequested { fetch, certify, .. } => {
                let (at, answer) = self.answer();
                self.network.at(at, Arrival::Session(client, fetch, certify, answer));
                Ok(())
            }
            Event::TokenRequested { renewal, .. } => {
                let (at, answer) = self.answer();
                self.network.at(at, Arrival::Token(client, renewal, answer));
                Ok(())
            }
            Event::VerifyRequested { verification, signed, certificate } => {
                let is_valid = is_genuine(&signed, certificate.as_deref());
                self.platform_answers(Arrival::Verified(client, verification, is_valid));
                Ok(())
            }
            Event::SignRequested { signing, .. } => {
                self.sign(client, signing);
                Ok(())
            }
            Event::DecryptRequested { decryption: opening, input } => {
                let at = now + self.random.below(MAX_DECRYPTION_MS);
                let plaintext = (self.random.below(8) > 0).then(|| decrypt(&input)).flatten();
                self.network.at(at, Arrival::Opening(client, opening, plaintext));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn sign(&mut self, client: usize, signing: SigningId) {
        if let (Some(lies), Some(call)) =
            (&mut self.lies, self.model.publish_call(client, PublishId(signing.0)))
        {
            lies.witness.signing(call);
        }
        self.platform_answers(Arrival::Signed(client, signing));
    }

    fn platform_answers(&mut self, answer: Arrival) {
        let at = self.now_ms + self.random.below(MAX_DECRYPTION_MS);
        self.network.at(at, answer);
    }

    /// Checks the authors of messages: only a signed message has one, and it has one at each machine that verifies. The
    /// end of a subscription, which comes at the same time, does not wait for the verification of its last messages.
    fn check_authors(&mut self, client: usize, event: &Event) -> Result<(), String> {
        let now = self.now_ms;
        match event {
            Event::Notice { subscriptions, notice: Notice::Ended(_) } => {
                self.unproved.retain(|(_, at, id)| *at != client || !subscriptions.contains(id));
            }
            Event::Message { subscriptions, message } => {
                let number = message.payload.trim_end().parse().unwrap_or_default();
                let expected = self.authors.get(&number).filter(|_| self.machines[client].verifies);
                match &message.author {
                    Author::Unverified if expected.is_some() => {
                        self.unproved.extend(subscriptions.iter().map(|id| (now, client, *id)));
                    }
                    Author::Unverified => {}
                    author if expected == Some(author) => {}
                    author => return Err(format!("{author:?} did not publish message {number}")),
                }
            }
            _ => {}
        }
        match self.unproved.iter().find(|(at, ..)| *at < now) {
            Some((_, client, id)) => {
                Err(format!("client {client} did not wait for the author of a message of {id:?}"))
            }
            None => Ok(()),
        }
    }

    /// Returns the time of the app's answer, and the answer unless the app fails. The app signs either at the request or at
    /// the answer, and signs channel tokens with keys that are up to five seconds old.
    fn answer(&mut self) -> (u64, Option<Answer>) {
        let at = self.now_ms + 1 + self.random.below(self.conditions.max_answer_ms);
        self.last_answer_at = self.last_answer_at.max(at);
        let succeeds = self.random.below(100) >= self.conditions.failure_percent;
        let is_reliable = succeeds && self.conditions.max_answer_ms <= 10_000;
        self.model.may_end |= !is_reliable;
        self.model.may_be_unreadable |= !is_reliable;
        let signed_at = if self.random.below(2) == 0 { at } else { self.now_ms };
        let keys_read_at = signed_at.saturating_sub(self.random.below(2) * KEY_CACHE_MS);
        (at, succeeds.then_some(Answer { signed_at, keys_read_at }))
    }
}

/// Returns whether a function made the signature, or a page with a certificate of the app.
fn is_genuine(signed: &SignedText, certificate: Option<&SignedText>) -> bool {
    let expected = certificate.map_or(SIGNATURE, |_| PAGE_SIGNATURE);
    signed.signature == expected && certificate.is_none_or(|certificate| certificate.signature == SIGNATURE)
}

/// Decrypts a message as the platform's AES-GCM does.
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
