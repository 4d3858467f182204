//! Frames from the relay, each dispatched to its handler.

use crate::{
    Client, ClientError, ConnectionId, Event, Now,
    state::{phase::Phase, recovery::CLOSE_NORMAL, requests::Request, timers::Timer},
};
use bytes::Bytes;
use sealwire_protocol::wire::{Failed, Goodbye, Pong, Refreshed, ToClient, ToRelay};

impl Client {
    /// Handles a binary message. `None` stands for a text message, which the protocol does not have.
    pub fn handle_frame(&mut self, now: Now, connection: ConnectionId, frame: Option<Bytes>) {
        if self.phase.connection_id() != Some(connection) {
            return;
        }
        if let Phase::Connected(connection) = &mut self.phase {
            connection.see(now.instant);
        }
        match (&self.phase, frame.map(ToClient::from_bytes)) {
            (Phase::Connected(_), Some(Ok(ToClient::Publication(publication)))) => {
                self.publication_received(now, publication);
            }
            (_, Some(Ok(message))) => self.dispatch(now, connection, message),
            (_, Some(Err(_)) | None) => self.protocol_violated(now),
        }
    }

    /// Dispatches all messages but publications. V8 never optimizes a function as large as the handlers together, so this one is
    /// not part of the path of a publication.
    #[inline(never)]
    fn dispatch(&mut self, now: Now, connection: ConnectionId, message: ToClient) {
        if !matches!(message, ToClient::Publication(_) | ToClient::Ping(_)) {
            self.requests.note_answer(now.instant);
        }
        match (&self.phase, message) {
            (_, ToClient::Goodbye(goodbye)) => return self.goodbye_received(now, goodbye),
            (_, ToClient::Ping(ping)) => {
                self.marks_received(&ping.marks);
                return self.send(&ToRelay::Pong(Pong {}));
            }
            (Phase::Connected(_), ToClient::Pong(_)) => return self.timers.stop(Timer::Probe),
            (_, ToClient::Pong(_)) => {}
            (Phase::AwaitingWelcome(_), ToClient::Welcome(welcome)) => {
                self.welcomed(now, connection, &welcome)
            }
            (Phase::Connected(_), message) => return self.dispatch_connected(now, message),
            _ => return self.protocol_violated(now),
        }
        self.advance(now);
    }

    /// Dispatches the messages that the relay only sends after its `Welcome`.
    fn dispatch_connected(&mut self, now: Now, message: ToClient) {
        match message {
            ToClient::Published(published) => {
                if let Some(Request::Publish(publish)) = self.requests.take(published.request) {
                    self.published(now, publish, &published);
                }
            }
            ToClient::Subscribed(subscribed) => {
                if let Some(Request::Subscribe(channel)) = self.requests.take(subscribed.request) {
                    self.channel_confirmed(now, channel, &subscribed);
                }
            }
            ToClient::Unsubscribed(unsubscribed) => {
                if let Some(Request::Unsubscribe(Some(subscription))) =
                    self.requests.take(unsubscribed.request)
                {
                    self.events.push_back(Event::UnsubscribeDone { subscription });
                }
            }
            ToClient::Refreshed(refreshed) => self.refreshed(now, &refreshed),
            ToClient::Failed(failed) => self.request_failed(now, failed),
            ToClient::Ended(ended) => {
                let error = ClientError::from_wire(ended.code, ended.message.clone(), 0);
                self.channel_ended(now, ended.channel_id(), error);
            }
            ToClient::PresenceAccepted(accepted) => self.presence_accepted(now, &accepted),
            ToClient::Presence(presence) => self.presence_received(now, presence),
            ToClient::PresenceEnded(ended) => self.presence_ended(now, ended),
            _ => return self.protocol_violated(now),
        }
        self.advance(now);
    }

    fn goodbye_received(&mut self, now: Now, goodbye: Goodbye) {
        let error = ClientError::from_wire(goodbye.code, goodbye.message, goodbye.reconnect_after_ms);
        self.connection_lost(now, error, Some(CLOSE_NORMAL));
    }

    fn refreshed(&mut self, now: Now, refreshed: &Refreshed) {
        match self.requests.take(refreshed.request) {
            Some(Request::RefreshSession) => self.session_ends(now, refreshed.expires_at),
            Some(Request::RefreshToken { channel, claims, source }) => {
                self.token_accepted(now, channel, claims, source, refreshed.request);
            }
            _ => {}
        }
    }

    fn request_failed(&mut self, now: Now, failed: Failed) {
        let Some(request) = self.requests.take(failed.request) else { return };
        let number = failed.request;
        let error = ClientError::from(failed);
        match request {
            Request::Subscribe(channel) => self.channel_refused(now, channel, number, error),
            Request::Unsubscribe(Some(subscription)) => {
                self.events.push_back(Event::UnsubscribeDone { subscription });
            }
            Request::Unsubscribe(None) => {}
            Request::Publish(publish) => self.publish_refused(now, publish, error),
            Request::Enter(channel) => self.enter_refused(now, channel, number, error),
            Request::Leave(enter) => self.events.push_back(Event::EnterDone { enter, result: Ok(()) }),
            Request::RefreshSession => self.refresh_failed(now, error),
            Request::RefreshToken { channel, claims, source } => {
                self.token_rejected(now, channel, claims, source, error);
            }
        }
    }
}
