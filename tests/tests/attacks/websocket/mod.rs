//! Attacks by WebSocket frames (`ws-`).

mod framing;
mod hello;
mod messages;
mod sizes;

use crate::{
    case::{Case, case, measured, slow},
    growth::Growth,
    target::{Target, channel, must_be_rate_limited, must_stay_open, random, sealed},
};
use sealwire_protocol::{
    Code, limits,
    wire::{Hello, Pong, Publish, ToClient, ToRelay, Unsubscribe},
};
use sealwire_tests::{ConnectionEnd, RawSocket, Received, fragments, frame};
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

pub(crate) fn cases() -> Vec<Case> {
    [framing::CASES, sizes::CASES, hello::CASES, messages::CASES].concat()
}

/// Returns the code of `Goodbye` if the close frame has the matching close code.
fn code_of(end: &ConnectionEnd) -> Option<Code> {
    let code = end.goodbye.and_then(Code::from_number)?;
    (end.close == Some(code.close_code() as u16)).then_some(code)
}

/// Asserts that the relay closes with 1002 and sends nothing else, before `Hello` and within a session.
fn must_break_rfc_6455(target: &Target, bytes: &[u8]) {
    let expected = ConnectionEnd { goodbye: None, close: Some(1002), before: vec![] };
    assert_eq!(target.websocket(bytes), expected, "before Hello, {bytes:x?}");
    let mut socket = target.mallory();
    socket.send(bytes);
    assert_eq!(socket.read_to_end(), expected, "in a session, {bytes:x?}");
}

/// Asserts that the relay ends a connection without a session with this code.
fn must_end_before_hello(target: &Target, bytes: &[u8], code: Code) {
    let end = target.websocket(bytes);
    assert_eq!(code_of(&end), Some(code), "before Hello: {end:?}");
}

/// Asserts that the relay ends the connection with this code, before `Hello` and within a session.
fn must_end_with(target: &Target, bytes: &[u8], code: Code) {
    let end = target.websocket(bytes);
    let before = if bytes.len() > limits::MAX_FIRST_FRAME { Code::FrameTooLarge } else { code };
    assert_eq!(code_of(&end), Some(before), "before Hello: {end:?}");
    let mut socket = target.mallory();
    socket.send(bytes);
    let end = socket.read_to_end();
    assert_eq!(code_of(&end), Some(code), "in a session: {end:?}");
}
