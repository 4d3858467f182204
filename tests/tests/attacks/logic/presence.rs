//! Members of presences that belong to others.

use super::*;
use sealwire_protocol::wire::Presence;

pub(super) const CASES: &[Case] = &[
    case("logic-member-of-another-account", |target| {
        let (mut carol, mut alice) = (target.open(&target.victim, "carol"), target.alice());
        let (name, member) = (channel("members"), random());
        must_be_accepted(&alice.enter(name.clone(), member, 1));
        let id = must_watch(&mut carol, "members");
        assert_eq!(presence(&mut carol).entries.len(), 1);
        let mut mallory = target.mallory();
        let attempts = |mallory: &mut RawSocket| {
            for number in [0, 1, 2, u64::MAX] {
                must_fail(&mallory.enter(name.clone(), member, number), Code::MemberConflict);
            }
            must_fail(&mallory.leave(id, member), Code::MemberConflict);
        };
        attempts(&mut mallory);
        // The member stays its account's while its connection is broken.
        drop(alice);
        attempts(&mut mallory);
        assert!(carol.is_quiet(QUIET));
        must_be_accepted(&target.alice().enter(name.clone(), member, 2));
        assert_eq!(presence(&mut carol).entries[0].number, 2);
    }),
    case("logic-member-of-a-newer-session", |target| {
        let (mut carol, mut before) =
            (target.open(&target.victim, "carol"), target.open(&target.victim, "alice"));
        let (name, member) = (channel("sessions"), random());
        must_be_accepted(&before.enter(name.clone(), member, 1));
        let id = must_watch(&mut carol, "sessions");
        assert_eq!(presence(&mut carol).entries.len(), 1);
        let mut after = target.alice();
        must_be_accepted(&after.enter(name.clone(), member, 2));
        assert_eq!(presence(&mut carol).entries[0].number, 2);
        must_fail(&before.leave(id, member), Code::MemberConflict);
        must_fail(&before.enter(name.clone(), member, 3), Code::MemberConflict);
        // Its end is not the end of the member.
        drop(before);
        assert!(carol.is_quiet(QUIET));
        must_be_accepted(&after.enter(name, member, 3));
        assert_eq!(presence(&mut carol).entries[0].number, 3);
    }),
];

/// Watches a channel. Returns its id.
fn must_watch(socket: &mut RawSocket, name: &str) -> [u8; 16] {
    match socket.watch(channel(name)) {
        ToClient::PresenceAccepted(accepted) => accepted.channel_id.as_ref().try_into().unwrap(),
        other => panic!("{other:?}"),
    }
}

fn must_be_accepted(answer: &ToClient) {
    assert!(matches!(answer, ToClient::PresenceAccepted(_)), "{answer:?}");
}

fn presence(socket: &mut RawSocket) -> Presence {
    match socket.expect_message() {
        ToClient::Presence(presence) => presence,
        other => panic!("{other:?}"),
    }
}
