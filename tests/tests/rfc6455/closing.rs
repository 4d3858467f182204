//! Cases 7: the closing handshake.

use crate::{Case, session::Session};
use sealwire_tests::{Received, fragments, frame};

const NORMAL: [u8; 2] = 1000_u16.to_be_bytes();

pub(crate) const CASES: &[Case] = &[
    ("7.1.1", Session::must_close_cleanly),
    ("7.1.2", |session| {
        session.socket.send(&[frame(0x88, &NORMAL), frame(0x88, &NORMAL)].concat());
        session.must_close_with(1000);
    }),
    ("7.1.3", |session| {
        session.socket.send(&[frame(0x88, &NORMAL), frame(0x89, b"")].concat());
        session.must_close_with(1000);
    }),
    ("7.1.4", |session| {
        let message = frame(0x82, &session.message(120));
        session.socket.send(&[frame(0x88, &NORMAL), message].concat());
        session.must_close_with(1000);
    }),
    ("7.1.5", |session| {
        let message = session.message(120);
        let mut frames = fragments(0x02, &message, 2);
        frames.insert(1, frame(0x88, &NORMAL));
        session.socket.send(&frames.concat());
        session.must_close_with(1000);
    }),
    // The message has 130 KiB instead of 256 KiB, which is close to the relay's limit.
    ("7.1.6", |session| {
        let message = frame(0x82, &session.message(130 * 1024));
        session.socket.send(&[message, frame(0x88, &NORMAL), frame(0x89, b"")].concat());
        session.must_answer();
        session.must_close_with(1000);
    }),
    ("7.3.1", |session| {
        session.socket.send(&frame(0x88, b""));
        session.must_close_with(1000);
    }),
    ("7.3.2", |session| {
        session.socket.send(&frame(0x88, b"a"));
        session.must_fail_connection();
    }),
    ("7.3.3", |session| closes(session, 1000, b"")),
    ("7.3.4", |session| closes(session, 1000, b"Hello World!")),
    ("7.3.5", |session| closes(session, 1000, &[b'*'; 123])),
    ("7.3.6", |session| {
        session.socket.send(&frame(0x88, &[&NORMAL[..], &[b'*'; 124]].concat()));
        session.must_fail_connection();
    }),
    ("7.5.1", |session| {
        let reason = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80\x65\x64\x69\x74\x65\x64";
        session.socket.send(&frame(0x88, &[&NORMAL[..], reason].concat()));
        session.must_fail_connection();
    }),
    ("7.7.1", |session| closes(session, 1000, b"")),
    ("7.7.2", |session| closes(session, 1001, b"")),
    ("7.7.3", |session| closes(session, 1002, b"")),
    ("7.7.4", |session| closes(session, 1003, b"")),
    ("7.7.5", |session| closes(session, 1007, b"")),
    ("7.7.6", |session| closes(session, 1008, b"")),
    ("7.7.7", |session| closes(session, 1009, b"")),
    ("7.7.8", |session| closes(session, 1010, b"")),
    ("7.7.9", |session| closes(session, 1011, b"")),
    ("7.7.10", |session| closes(session, 3000, b"")),
    ("7.7.11", |session| closes(session, 3999, b"")),
    ("7.7.12", |session| closes(session, 4000, b"")),
    ("7.7.13", |session| closes(session, 4999, b"")),
    ("7.9.1", |session| invalid(session, 0)),
    ("7.9.2", |session| invalid(session, 999)),
    ("7.9.3", |session| invalid(session, 1004)),
    ("7.9.4", |session| invalid(session, 1005)),
    ("7.9.5", |session| invalid(session, 1006)),
    ("7.9.6", |session| invalid(session, 1016)),
    ("7.9.7", |session| invalid(session, 1100)),
    ("7.9.8", |session| invalid(session, 2000)),
    ("7.9.9", |session| invalid(session, 2999)),
    // The suite accepts any result for these codes; the relay refuses them.
    ("7.13.1", |session| invalid(session, 5000)),
    ("7.13.2", |session| invalid(session, 65_535)),
];

/// The relay answers a valid close with 1000; the suite accepts that as well as the same code.
fn closes(session: &mut Session, code: u16, reason: &[u8]) {
    session.socket.send(&frame(0x88, &[&code.to_be_bytes()[..], reason].concat()));
    session.must_close_with(1000);
    assert_eq!(session.socket.receive(), Received::End);
}

fn invalid(session: &mut Session, code: u16) {
    session.socket.send(&frame(0x88, &code.to_be_bytes()));
    session.must_fail_connection();
}
