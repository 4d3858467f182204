//! Cases 9 and 10: large messages, small fragments and many messages. The relay accepts messages of up to 144 KiB (RFC
//! 6455 section 10.4 permits a limit). It must refuse the larger messages of the suite, whose fragmentation is tested with
//! the allowed size.

use crate::{Case, session::Session};
use sealwire_protocol::{
    Code,
    wire::{Ping, ToClient, ToRelay},
};
use sealwire_tests::{Received, fragments, frame};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
/// The size of an accepted message in these cases.
const ALLOWED: usize = 130 * KIB;

pub(crate) const CASES: &[Case] = &[
    ("9.2.1", |session| session.echo(64 * KIB, usize::MAX)),
    ("9.2.2", |session| refused(session, 256 * KIB)),
    ("9.2.3", |session| refused(session, MIB)),
    ("9.2.4", |session| refused(session, 4 * MIB)),
    ("9.2.5", |session| refused(session, 8 * MIB)),
    ("9.2.6", |session| refused(session, 16 * MIB)),
    ("9.4.1", |session| in_frames(session, 64)),
    ("9.4.2", |session| in_frames(session, 256)),
    ("9.4.3", |session| in_frames(session, KIB)),
    ("9.4.4", |session| in_frames(session, 4 * KIB)),
    ("9.4.5", |session| in_frames(session, 16 * KIB)),
    ("9.4.6", |session| in_frames(session, 64 * KIB)),
    ("9.4.7", |session| refused(session, 256 * KIB)),
    ("9.4.8", |session| refused(session, MIB)),
    ("9.4.9", |session| refused(session, 4 * MIB)),
    ("9.6.1", |session| session.echo(ALLOWED, 64)),
    ("9.6.2", |session| session.echo(ALLOWED, 128)),
    ("9.6.3", |session| session.echo(ALLOWED, 256)),
    ("9.6.4", |session| session.echo(ALLOWED, 512)),
    ("9.6.5", |session| session.echo(ALLOWED, KIB)),
    ("9.6.6", |session| session.echo(ALLOWED, 2 * KIB)),
    // The shortest message that has an answer takes two bytes.
    ("9.8.1", a_thousand_shortest),
    ("9.8.2", a_thousand_shortest),
    ("9.8.3", |session| a_thousand(session, 100)),
    ("9.8.4", |session| a_thousand(session, 256)),
    ("9.8.5", |session| a_thousand(session, KIB)),
    ("9.8.6", |session| a_thousand(session, 4 * KIB)),
    ("10.1.1", |session| session.echo_in_frames(65_536, 1300)),
];

/// Asserts that the relay answers a message in frames of `size` bytes, and refuses one as soon as it exceeds the limit.
fn in_frames(session: &mut Session, size: usize) {
    session.echo_in_frames(ALLOWED, size);
    let message = vec![0; 150 * KIB];
    for frame in fragments(0x02, &message, message.len().div_ceil(size)) {
        session.socket.send(&frame);
    }
    session.must_refuse_with(Code::FrameTooLarge);
}

/// Asserts that the relay refuses a message by its header alone.
fn refused(session: &mut Session, len: usize) {
    let header = [&[0x82, 0xff][..], &(len as u64).to_be_bytes(), &[0; 4]].concat();
    session.socket.send(&header);
    session.must_refuse_with(Code::FrameTooLarge);
}

fn a_thousand(session: &mut Session, len: usize) {
    for _ in 0..1000 {
        session.echo(len, usize::MAX);
    }
}

fn a_thousand_shortest(session: &mut Session) {
    let ping = frame(0x82, &ToRelay::Ping(Ping::default()).to_bytes());
    for _ in 0..1000 {
        session.socket.send(&ping);
        match session.socket.receive() {
            Received::Message(message) => assert!(matches!(*message, ToClient::Pong(_)), "{message:?}"),
            other => panic!("{other:?}"),
        }
    }
}
