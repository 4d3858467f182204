//! Requests about presence on a raw socket, and their answers.

use super::{RawSocket, Received};
use sealwire_protocol::wire::{Channel, PresenceEnter, PresenceLeave, PresenceWatch, ToClient, ToRelay};

impl RawSocket {
    /// Enters a presence with an entry of 60 bytes, or replaces the entry, and returns the relay's answer.
    ///
    /// # Panics
    /// If the connection ends first.
    pub fn enter(&mut self, channel: Channel, member: [u8; 16], number: u64) -> ToClient {
        let (request, sealed) = (self.request(), vec![7; 60].into());
        let (channel, member) = (Some(channel), member.to_vec().into());
        self.ask(&ToRelay::PresenceEnter(PresenceEnter { request, channel, member, number, sealed }))
    }

    /// Removes a member, and returns the relay's answer.
    ///
    /// # Panics
    /// If the connection ends first.
    pub fn leave(&mut self, channel_id: [u8; 16], member: [u8; 16]) -> ToClient {
        let request = self.request();
        let (channel_id, member) = (channel_id.to_vec().into(), member.to_vec().into());
        self.ask(&ToRelay::PresenceLeave(PresenceLeave { request, channel_id, member }))
    }

    /// Watches a presence, and returns the relay's answer.
    ///
    /// # Panics
    /// If the connection ends first.
    pub fn watch(&mut self, channel: Channel) -> ToClient {
        let request = self.request();
        self.ask(&ToRelay::PresenceWatch(PresenceWatch { request, channel: Some(channel) }))
    }

    /// Sends a request. Changes of members that arrive before the answer are held back for [`Self::receive`].
    fn ask(&mut self, request: &ToRelay) -> ToClient {
        self.send_message(request);
        loop {
            match self.receive_next() {
                Received::Message(message) => match *message {
                    presence @ ToClient::Presence(_) => {
                        self.held.push_back(Received::Message(Box::new(presence)));
                    }
                    answer => return answer,
                },
                other => panic!("received {other:?} instead of a message"),
            }
        }
    }
}
