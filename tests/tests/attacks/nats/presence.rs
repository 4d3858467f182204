//! Messages about presence from a hostile client of NATS, which has no key of the app. It may do everything in the account of the
//! relays.

use super::{QUIET, content, forge, intruder};
use crate::{
    case::{Case, case},
    target::{channel, must_stay_open, random},
};
use sealwire_protocol::wire::{Presence, ToClient};
use sealwire_tests::RawSocket;
use std::time::Duration;

/// The purpose of the tags.
const PURPOSE: &str = "sealwire presence 1";

pub(super) const CASES: &[Case] = &[case("nats-forged-presence", |target| {
    let intruder = intruder(target.cluster.as_ref().unwrap());
    let mut heard = intruder.listen("sealwire.presence.*");
    // The watcher is at the relay of the attackers, the member at the other one.
    let (mut carol, mut alice) = (target.open(&target.victim, "carol"), target.alice());
    let id = accepted(carol.watch(channel("presence")));
    assert_eq!(presence(&mut carol).entries.len(), 0);
    let member = random();
    accepted(alice.enter(channel("presence"), member, 1));
    assert_eq!(presence(&mut carol).entries.len(), 1);
    let recorded = heard.all_within(Duration::from_secs(2));
    let has_entry = |payload: &[u8]| payload.windows(60).any(|bytes| bytes == [7; 60]);
    assert!(recorded.iter().any(|message| has_entry(&message.payload)), "the entry was not recorded");

    for message in &recorded {
        let content = forge::untagged(&message.payload);
        for tags in content::wrong_tags(target, &content, PURPOSE) {
            intruder.publish(message.subject.as_str(), forge::tagged(&content, &tags));
        }
        for noise in [vec![], vec![0xff; 100], vec![0; 300_000]] {
            intruder.publish(message.subject.as_str(), noise);
        }
    }
    accepted(alice.leave(id, member));
    assert_eq!(presence(&mut carol).left.len(), 1);
    // The message with which the member entered, after it has left.
    for message in &recorded {
        intruder.publish(message.subject.as_str(), message.payload.to_vec());
    }
    intruder.flush();
    assert!(carol.is_quiet(QUIET));
    accepted(alice.enter(channel("presence"), member, 2));
    let seen = presence(&mut carol);
    assert_eq!((seen.entries.len(), seen.entries[0].number), (1, 2));
    must_stay_open(&mut alice);
    content::must_have_logged(target, "a message about presence at another relay was refused");
})];

/// Returns the id of the channel of an accepted request.
fn accepted(answer: ToClient) -> [u8; 16] {
    match answer {
        ToClient::PresenceAccepted(accepted) => accepted.channel_id.as_ref().try_into().unwrap(),
        other => panic!("{other:?}"),
    }
}

fn presence(socket: &mut RawSocket) -> Presence {
    match socket.expect_message() {
        ToClient::Presence(presence) => presence,
        other => panic!("{other:?}"),
    }
}
