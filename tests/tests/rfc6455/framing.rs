//! Cases 1 to 5: messages, pings, reserved bits, opcodes and fragments.

use crate::{Case, session::Session};
use sealwire_protocol::Code;
use sealwire_tests::{fragments, frame};

/// The frame is sent in a single write.
const WHOLE: usize = usize::MAX;

pub(crate) const CASES: &[Case] = &[
    // An empty message is a legal frame, but not a message of Sealwire's protocol.
    ("1.2.1", |session| {
        session.socket.send(&frame(0x82, b""));
        session.must_refuse_with(Code::MalformedFrame);
    }),
    ("1.2.2", |session| session.echo(125, WHOLE)),
    ("1.2.3", |session| session.echo(126, WHOLE)),
    ("1.2.4", |session| session.echo(127, WHOLE)),
    ("1.2.5", |session| session.echo(128, WHOLE)),
    ("1.2.6", |session| session.echo(65_535, WHOLE)),
    ("1.2.7", |session| session.echo(65_536, WHOLE)),
    ("1.2.8", |session| session.echo(65_536, 997)),
    ("2.1", |session| ping(session, b"", WHOLE)),
    ("2.2", |session| ping(session, b"Hello, world!", WHOLE)),
    ("2.3", |session| ping(session, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", WHOLE)),
    ("2.4", |session| ping(session, &[0xfe; 125], WHOLE)),
    ("2.5", |session| {
        session.socket.send(&frame(0x89, &[0xfe; 126]));
        session.must_fail_connection();
    }),
    ("2.6", |session| ping(session, &[0xfe; 125], 1)),
    ("2.7", |session| pong(session, b"")),
    ("2.8", |session| pong(session, b"unsolicited pong payload")),
    ("2.9", |session| {
        pong(session, b"unsolicited pong payload");
        ping(session, b"ping payload", WHOLE);
    }),
    ("2.10", |session| ten_pings(session, WHOLE)),
    ("2.11", |session| ten_pings(session, 1)),
    ("3.1", |session| reserved(session, 0x10, 0, WHOLE)),
    ("3.2", |session| reserved(session, 0x20, 1, WHOLE)),
    ("3.3", |session| reserved(session, 0x30, 1, 20)),
    ("3.4", |session| reserved(session, 0x40, 1, 1)),
    ("3.5", |session| reserved(session, 0x50, 0, WHOLE)),
    ("3.6", |session| {
        session.socket.send(&frame(0x89 | 0x60, b"Hello, world!"));
        session.must_fail_connection();
    }),
    ("3.7", |session| {
        session.socket.send(&frame(0x88 | 0x70, b""));
        session.must_fail_connection();
    }),
    ("4.1.1", |session| unknown(session, 3, b"", 0, WHOLE)),
    ("4.1.2", |session| unknown(session, 4, b"reserved opcode payload", 0, WHOLE)),
    ("4.1.3", |session| unknown(session, 5, b"", 1, WHOLE)),
    ("4.1.4", |session| unknown(session, 6, b"reserved opcode payload", 1, WHOLE)),
    ("4.1.5", |session| unknown(session, 7, b"reserved opcode payload", 1, 1)),
    ("4.2.1", |session| unknown(session, 11, b"", 0, WHOLE)),
    ("4.2.2", |session| unknown(session, 12, b"reserved opcode payload", 0, WHOLE)),
    ("4.2.3", |session| unknown(session, 13, b"", 1, WHOLE)),
    ("4.2.4", |session| unknown(session, 14, b"reserved opcode payload", 1, WHOLE)),
    ("4.2.5", |session| unknown(session, 15, b"reserved opcode payload", 1, 1)),
    ("5.1", |session| control_in_two(session, 0x09)),
    ("5.2", |session| control_in_two(session, 0x0a)),
    ("5.3", |session| in_two(session, None, WHOLE)),
    ("5.4", |session| in_two(session, None, 90)),
    ("5.5", |session| in_two(session, None, 1)),
    ("5.6", |session| in_two(session, Some(b"ping payload"), WHOLE)),
    ("5.7", |session| in_two(session, Some(b"ping payload"), 90)),
    ("5.8", |session| in_two(session, Some(b"ping payload"), 1)),
    ("5.9", |session| continues_nothing(session, 0x80, WHOLE)),
    ("5.10", |session| continues_nothing(session, 0x80, 31)),
    ("5.11", |session| continues_nothing(session, 0x80, 1)),
    ("5.12", |session| continues_nothing(session, 0x00, WHOLE)),
    ("5.13", |session| continues_nothing(session, 0x00, 31)),
    ("5.14", |session| continues_nothing(session, 0x00, 1)),
    ("5.15", |session| {
        in_two(session, None, WHOLE);
        continues_nothing(session, 0x00, WHOLE);
    }),
    ("5.16", |session| continues_nothing_before_fragments(session, 0x00)),
    ("5.17", |session| continues_nothing_before_fragments(session, 0x80)),
    ("5.18", |session| {
        session.socket.send(&[frame(0x02, b"fragment1"), frame(0x82, b"fragment2")].concat());
        session.must_fail_connection();
    }),
    ("5.19", |session| in_five(session, true)),
    ("5.20", |session| in_five(session, false)),
];

fn ping(session: &mut Session, payload: &[u8], chop: usize) {
    session.socket.send_chopped(&frame(0x89, payload), chop);
    session.must_pong(payload);
    session.must_close_cleanly();
}

fn pong(session: &mut Session, payload: &[u8]) {
    session.socket.send(&frame(0x8a, payload));
    session.must_be_silent();
    session.echo(200, WHOLE);
}

fn ten_pings(session: &mut Session, chop: usize) {
    let payloads: Vec<String> = (0..10).map(|number| format!("payload-{number}")).collect();
    let pings: Vec<u8> = payloads.iter().flat_map(|payload| frame(0x89, payload.as_bytes())).collect();
    session.socket.send_chopped(&pings, chop);
    payloads.iter().for_each(|payload| session.must_pong(payload.as_bytes()));
    session.must_close_cleanly();
}

/// Sends `good` valid messages, one with reserved bits, and a ping that the relay must not answer.
fn reserved(session: &mut Session, bits: u8, good: usize, chop: usize) {
    let mut bytes: Vec<u8> = (0..good).flat_map(|_| frame(0x82, &session.message(120))).collect();
    bytes.extend([frame(0x82 | bits, b"Hello, world!"), frame(0x89, b"")].concat());
    session.socket.send_chopped(&bytes, chop);
    (0..good).for_each(|_| session.must_answer());
    session.must_fail_connection();
}

/// Sends `good` valid messages, one with an undefined opcode, and a ping that the relay must not answer.
fn unknown(session: &mut Session, opcode: u8, payload: &[u8], good: usize, chop: usize) {
    let mut bytes: Vec<u8> = (0..good).flat_map(|_| frame(0x82, &session.message(120))).collect();
    bytes.extend([frame(0x80 | opcode, payload), frame(0x89, b"")].concat());
    session.socket.send_chopped(&bytes, chop);
    (0..good).for_each(|_| session.must_answer());
    session.must_fail_connection();
}

fn control_in_two(session: &mut Session, first: u8) {
    session.socket.send(&[frame(first, b"fragment1"), frame(0x80, b"fragment2")].concat());
    session.must_fail_connection();
}

fn in_two(session: &mut Session, ping: Option<&[u8]>, chop: usize) {
    let message = session.message(160);
    let mut frames = fragments(0x02, &message, 2);
    if let Some(payload) = ping {
        frames.insert(1, frame(0x89, payload));
    }
    session.socket.send_chopped(&frames.concat(), chop);
    if let Some(payload) = ping {
        session.must_pong(payload);
    }
    session.must_answer();
}

fn continues_nothing(session: &mut Session, first: u8, chop: usize) {
    let message = frame(0x82, &session.message(120));
    session.socket.send_chopped(&[frame(first, b"non-continuation payload"), message].concat(), chop);
    session.must_fail_connection();
}

fn continues_nothing_before_fragments(session: &mut Session, first: u8) {
    let message = session.message(120);
    let mut bytes = frame(first, b"fragment1");
    bytes.extend(fragments(0x02, &message, 2).concat());
    session.socket.send(&bytes.repeat(2));
    session.must_fail_connection();
}

/// Sends five fragments with two pings among them. With `pauses`, the relay must answer the first ping before the rest of
/// the message is sent.
fn in_five(session: &mut Session, pauses: bool) {
    let message = session.message(200);
    let frames = fragments(0x02, &message, 5);
    let first = [frames[..2].concat(), frame(0x89, b"pongme 1!")].concat();
    let second = [frames[2..4].concat(), frame(0x89, b"pongme 2!"), frames[4].clone()].concat();
    if pauses {
        session.socket.send(&first);
        session.must_pong(b"pongme 1!");
        session.socket.send(&second);
    } else {
        session.socket.send(&[first, second].concat());
        session.must_pong(b"pongme 1!");
    }
    session.must_pong(b"pongme 2!");
    session.must_answer();
    session.must_close_cleanly();
}
