//! Frames from the relay, each to where it belongs.

use crate::{
    Client, ClientError, ConnectionId, Event, Now, client::connect::Phase, state::requests::Request,
    state::timers::Timer,
};
use bytes::Bytes;
use sealwire_protocol::wire::{Failed, Goodbye, Pong, Refreshed, ToClient, ToRelay};

impl Client {
    /// A binary message came. `None` stands for a text message, which the protocol does not have.
    pub fn handle_frame(&mut self, now: Now, connection: ConnectionId, frame: Option<Bytes>) {
        if self.phase.connection() != Some(connection) {
            return;
        }
        self.heard(now);
        match frame.map(ToClient::from_bytes) {
            Some(Ok(message)) => self.dispatch(now, connection, message),
            Some(Err(_)) | None => self.violated(now),
        }
    }

    fn dispatch(&mut self, now: Now, connection: ConnectionId, message: ToClient) {
        if !matches!(message, ToClient::Publication(_) | ToClient::Ping(_)) {
            self.requests.answered(now.instant);
        }
        match (&self.phase, message) {
            (_, ToClient::Goodbye(goodbye)) => return self.dismissed(now, goodbye),
            (_, ToClient::Ping(_)) => return self.send(&ToRelay::Pong(Pong {})),
            (Phase::Live(_), ToClient::Pong(_)) => return self.timers.stop(Timer::Probe),
            (_, ToClient::Pong(_)) => {}
            (Phase::AwaitingWelcome(_), ToClient::Welcome(welcome)) => {
                self.welcomed(now, connection, &welcome)
            }
            (Phase::Live(_), ToClient::Publication(publication)) => return self.received(now, publication),
            (Phase::Live(_), ToClient::Published(published)) => {
                if let Some(Request::Publish(publish)) = self.requests.answer(published.request) {
                    self.published(now, publish, &published);
                }
            }
            (Phase::Live(_), ToClient::Subscribed(subscribed)) => {
                if let Some(Request::Subscribe(channel)) = self.requests.answer(subscribed.request) {
                    self.subscribed(now, channel, &subscribed);
                }
            }
            (Phase::Live(_), ToClient::Unsubscribed(unsubscribed)) => {
                if let Some(Request::Unsubscribe(Some(subscription))) =
                    self.requests.answer(unsubscribed.request)
                {
                    self.events.push_back(Event::UnsubscribeDone { subscription });
                }
            }
            (Phase::Live(_), ToClient::Refreshed(refreshed)) => self.refreshed(now, &refreshed),
            (Phase::Live(_), ToClient::Failed(failed)) => self.failed(now, failed),
            (Phase::Live(_), ToClient::Ended(ended)) => {
                let error = ClientError::from_wire(ended.code, ended.message.clone(), 0);
                self.ended(now, ended.channel_id(), error);
            }
            _ => return self.violated(now),
        }
        self.settle(now);
    }

    fn dismissed(&mut self, now: Now, goodbye: Goodbye) {
        let error = ClientError::from_wire(goodbye.code, goodbye.message, goodbye.reconnect_after_ms);
        self.lost(now, error, Some(1000));
    }

    fn refreshed(&mut self, now: Now, refreshed: &Refreshed) {
        match self.requests.answer(refreshed.request) {
            Some(Request::RefreshSession) => self.session_ends(now, refreshed.expires_at),
            Some(Request::RefreshToken { channel, claims, asked_by }) => {
                self.token_taken(now, channel, claims, asked_by);
            }
            _ => {}
        }
    }

    fn failed(&mut self, now: Now, failed: Failed) {
        let Some(request) = self.requests.answer(failed.request) else { return };
        let number = failed.request;
        let error = ClientError::from(failed);
        match request {
            Request::Subscribe(channel) => self.subscribe_refused(now, channel, number, error),
            Request::Unsubscribe(Some(subscription)) => {
                self.events.push_back(Event::UnsubscribeDone { subscription });
            }
            Request::Unsubscribe(None) => {}
            Request::Publish(publish) => self.publish_refused(now, publish, error),
            Request::RefreshSession => self.refresh_failed(now, error),
            Request::RefreshToken { channel, claims, asked_by } => {
                self.token_not_taken(now, channel, claims, asked_by, error);
            }
        }
    }
}
