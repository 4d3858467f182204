//! A session whose client writes each frame itself, and the assertions of the cases.

use sealwire_protocol::{
    Code, Scope,
    wire::{Channel, Publish, Subscribe, ToClient, ToRelay},
};
use sealwire_tests::{ConnectionEnd, Installation, RawSocket, Received, fragments, frame};
use std::time::Duration;

pub(crate) struct Session {
    pub(crate) socket: RawSocket,
}

/// Messages up to this length are too short for a publish.
const MAX_SUBSCRIBE: usize = 110;

/// Returns a subscribe message of exactly `len` bytes. Its channel depends on the length alone.
fn subscribe(request: u32, len: usize) -> Vec<u8> {
    let sized = |name: usize| {
        let channel = Some(Channel { name: "c".repeat(name), ..Channel::default() });
        ToRelay::Subscribe(Subscribe { request, channel, since: None, events: Vec::new() }).to_bytes()
    };
    let message = sized(len + 1 - sized(1).len());
    assert_eq!(message.len(), len);
    message
}

impl Session {
    pub(crate) fn open(port: u16, installation: &Installation) -> Self {
        Self { socket: RawSocket::open(port, &installation.session("client", &Scope::default(), 600)) }
    }

    /// Returns a message of exactly `len` bytes that the relay answers.
    pub(crate) fn message(&mut self, len: usize) -> Vec<u8> {
        let request = self.socket.request();
        if len <= MAX_SUBSCRIBE { subscribe(request, len) } else { Self::publish(request, len) }
    }

    fn publish(request: u32, len: usize) -> Vec<u8> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).unwrap();
        let sized = |sealed: usize, event: usize| {
            ToRelay::Publish(Publish {
                request,
                channel: Some(Channel { name: "c".into(), ..Channel::default() }),
                event: "e".repeat(event),
                sealed: vec![1; sealed].into(),
                id: id.to_vec().into(),
                follows: 0,
                content: Default::default(),
            })
            .to_bytes()
        };
        let (overhead, sizes) = (sized(69, 0).len() - 69, 0..12);
        sizes
            .flat_map(|event| (0..12).map(move |less| (event, less)))
            .map(|(event, less)| sized((len - overhead).saturating_sub(less).max(69), event))
            .find(|message| message.len() == len)
            .unwrap_or_else(|| panic!("there is no message of {len} bytes"))
    }

    /// Asserts that the relay answers the message.
    pub(crate) fn must_answer(&mut self) {
        match self.socket.receive() {
            Received::Message(message) => {
                let is_answer = matches!(*message, ToClient::Published(_) | ToClient::Subscribed(_));
                assert!(is_answer, "{message:?}");
            }
            other => panic!("received {other:?} instead of an answer"),
        }
    }

    /// Asserts that the relay answers a message in one frame, sent in pieces of `chop` bytes.
    pub(crate) fn echo(&mut self, len: usize, chop: usize) {
        let message = self.message(len);
        assert!(self.socket.send_chopped(&frame(0x82, &message), chop));
        self.must_answer();
    }

    /// Asserts that the relay answers a message in frames of `size` bytes.
    pub(crate) fn echo_in_frames(&mut self, len: usize, size: usize) {
        let message = self.message(len);
        for frame in fragments(0x02, &message, len.div_ceil(size)) {
            self.socket.send(&frame);
        }
        self.must_answer();
    }

    /// Asserts that the relay sends a pong with this payload.
    pub(crate) fn must_pong(&mut self, payload: &[u8]) {
        assert_eq!(self.socket.receive(), Received::Pong(payload.to_vec()));
    }

    /// Asserts that the relay sends nothing for 50 ms.
    pub(crate) fn must_be_silent(&mut self) {
        assert!(self.socket.is_quiet(Duration::from_millis(50)));
    }

    /// Asserts that the relay still answers messages, and closes the connection with 1000.
    pub(crate) fn must_close_cleanly(&mut self) {
        self.echo(200, usize::MAX);
        self.socket.send(&frame(0x88, &1000_u16.to_be_bytes()));
        self.must_close_with(1000);
    }

    /// Asserts that the relay closes with this code and sends nothing else.
    pub(crate) fn must_close_with(&mut self, code: u16) {
        let expected = ConnectionEnd { close: Some(code), ..ConnectionEnd::default() };
        assert_eq!(self.socket.read_to_end(), expected);
    }

    /// Asserts that the relay ends the connection with a code of Sealwire's protocol.
    pub(crate) fn must_refuse_with(&mut self, code: Code) {
        let end = self.socket.read_to_end();
        let expected = (Some(code.number()), Some(code.close_code() as u16));
        assert_eq!((end.goodbye, end.close), expected, "{end:?}");
    }

    /// Asserts that the relay fails the connection, as RFC 6455 requires for a violation.
    pub(crate) fn must_fail_connection(&mut self) {
        self.must_close_with(1002);
    }
}
