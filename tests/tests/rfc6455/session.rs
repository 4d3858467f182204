//! A session whose client writes its frames by hand.

use sealwire_protocol::{
    Code, Scope,
    wire::{Channel, Publish, ToClient, ToRelay},
};
use sealwire_tests::{Farewell, Installation, RawSocket, Received, fragments, frame};
use std::time::Duration;

pub(crate) struct Session {
    pub(crate) socket: RawSocket,
}

impl Session {
    pub(crate) fn open(port: u16, installation: &Installation) -> Self {
        Self { socket: RawSocket::open(port, &installation.session("client", &Scope::default(), 600)) }
    }

    /// A message of exactly `len` bytes that the relay answers.
    pub(crate) fn message(&mut self, len: usize) -> Vec<u8> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).unwrap();
        let request = self.socket.request();
        let sized = |sealed: usize, event: usize| {
            ToRelay::Publish(Publish {
                request,
                channel: Some(Channel { name: "c".into(), ..Channel::default() }),
                event: "e".repeat(event),
                sealed: vec![1; sealed].into(),
                id: id.to_vec().into(),
                follows: 0,
            })
            .to_bytes()
        };
        let (overhead, sizes) = (sized(57, 0).len() - 57, 0..12);
        sizes
            .flat_map(|event| (0..12).map(move |less| (event, less)))
            .map(|(event, less)| sized((len - overhead).saturating_sub(less).max(57), event))
            .find(|message| message.len() == len)
            .unwrap_or_else(|| panic!("there is no message of {len} bytes"))
    }

    /// The message is answered.
    pub(crate) fn answered(&mut self) {
        match self.socket.receive() {
            Received::Message(message) => {
                assert!(matches!(*message, ToClient::Published(_)), "{message:?}");
            }
            other => panic!("{other:?} came instead of an answer"),
        }
    }

    /// A message in one frame is answered; its bytes leave in pieces of `chop`.
    pub(crate) fn echo(&mut self, len: usize, chop: usize) {
        let message = self.message(len);
        assert!(self.socket.send_chopped(&frame(0x82, &message), chop));
        self.answered();
    }

    /// A message in frames of `size` is answered.
    pub(crate) fn echo_in_frames(&mut self, len: usize, size: usize) {
        let message = self.message(len);
        for frame in fragments(0x02, &message, len.div_ceil(size)) {
            self.socket.send(&frame);
        }
        self.answered();
    }

    /// The pong to a ping with this payload.
    pub(crate) fn ponged(&mut self, payload: &[u8]) {
        assert_eq!(self.socket.receive(), Received::Pong(payload.to_vec()));
    }

    /// Nothing comes for a moment.
    pub(crate) fn silent(&mut self) {
        assert!(self.socket.is_quiet(Duration::from_millis(50)));
    }

    /// What is legal goes on to work, and the connection closes as asked.
    pub(crate) fn closes_well(&mut self) {
        self.echo(200, usize::MAX);
        self.socket.send(&frame(0x88, &1000_u16.to_be_bytes()));
        self.closed_with(1000);
    }

    /// The relay closes with this code, and says nothing else.
    pub(crate) fn closed_with(&mut self, code: u16) {
        let expected = Farewell { close: Some(code), ..Farewell::default() };
        assert_eq!(self.socket.farewell(), expected);
    }

    /// The relay refuses a message in the terms of its own protocol.
    pub(crate) fn refused_with(&mut self, code: Code) {
        let farewell = self.socket.farewell();
        let expected = (Some(code.number()), Some(code.close_code() as u16));
        assert_eq!((farewell.goodbye, farewell.close), expected, "{farewell:?}");
    }

    /// RFC 6455 was broken: the relay fails the connection.
    pub(crate) fn failed(&mut self) {
        self.closed_with(1002);
    }
}
