//! Forged presence: invented members, entries at the wrong place, and members that are hidden or kept.

use super::*;
use crate::presence::{ANNA, BEN, NAME, content, data, entry, entry_sealed, place, reported};
use sealwire_protocol::{
    Entry, EntryPlace, MemberId, UnixMillis,
    wire::{PresenceEntry, ToClient},
};

const UNREADABLE: &str = Code::MessageUnreadable.name();
const MINUTE_MS: u64 = 60_000;

/// Shows a page one lie, which must be an error with this code and no member, and then a genuine member.
fn must_be_refused(lie: PresenceEntry, code: &str, what: &str) {
    let (mut page, subscription) = Harness::present(vec![]);
    page.changes(2, vec![lie], &[]);
    page.pass_healthy(40_000);
    page.forget_states();
    assert_eq!(page.expect_refusal(subscription), code, "{what}");
    page.changes(3, vec![entry(BEN, 7)], &[]);
    assert_eq!(data(&page.expect_members(&[subscription]).0), ["7"], "{what}");
    assert_eq!(page.disconnects, [0; 0], "{what}");
}

#[test]
fn an_invented_member_is_refused() {
    for length in [0, 1, 44, 45, 69, 100, 4096] {
        let sealed = vec![1; length].into();
        must_be_refused(PresenceEntry { sealed, ..entry(ANNA, 1) }, UNREADABLE, &format!("{length} bytes"));
    }
    must_be_refused(entry_sealed(9, ANNA, 1, TIME_MS.get()), UNREADABLE, "a key that nobody has");
}

#[test]
fn an_entry_with_a_flipped_bit_in_any_of_its_bytes_is_refused() {
    let genuine = entry(ANNA, 1);
    for at in 0..genuine.sealed.len() {
        let mut sealed = genuine.sealed.to_vec();
        sealed[at] ^= 1 << (at % 8);
        must_be_refused(
            PresenceEntry { sealed: sealed.into(), ..genuine.clone() },
            UNREADABLE,
            &format!("byte {at}"),
        );
    }
}

#[test]
fn an_entry_of_another_member_or_number_is_refused() {
    let genuine = entry(ANNA, 5);
    let other = PresenceEntry { member: BEN.to_vec().into(), ..genuine.clone() };
    must_be_refused(other, UNREADABLE, "member");
    for number in [0, 4, 6, u64::MAX] {
        must_be_refused(PresenceEntry { number, ..genuine.clone() }, UNREADABLE, "number");
    }
}

#[test]
fn an_entry_of_another_channel_and_a_message_are_refused() {
    let name = "rotation";
    let scope = context();
    let content = Entry {
        sealed_at: UnixMillis(UNIX_START),
        entered_at: UnixMillis(UNIX_START),
        account: String::new(),
        data: "1".into(),
        signature: None,
    };
    // The same key, and the place of another channel.
    let here = key(1).scope_key(APP, INSTALLATION, &scope).channel_key(None, NAME);
    let elsewhere = EntryPlace { channel: channel_id(name), ..place(ANNA, 1) };
    let sealed = elsewhere.seal(&here, [7; 24], &content).into();
    must_be_refused(PresenceEntry { sealed, ..entry(ANNA, 1) }, UNREADABLE, "place");
    let there = key(1).scope_key(APP, INSTALLATION, &scope).channel_key(None, name);
    let sealed = elsewhere.seal(&there, [7; 24], &content).into();
    must_be_refused(PresenceEntry { sealed, ..entry(ANNA, 1) }, UNREADABLE, "channel");
    let sealed = sealed_message().into();
    must_be_refused(PresenceEntry { sealed, ..entry(ANNA, 1) }, UNREADABLE, "message");
}

fn sealed_message() -> Vec<u8> {
    sealed(1, NAME, next_stamp(), "{}")
}

#[test]
fn an_entry_delivered_as_a_message_is_unreadable() {
    let (mut page, subscription) = Harness::subscribed(NAME);
    let publication = Publication {
        channel_id: channel_id(NAME).into(),
        offset: START + 1,
        previous_offset: START,
        time_ms: UNIX_START,
        event: String::new(),
        sealed: entry(ANNA, 1).sealed,
    };
    page.receive(ToClient::Publication(publication));
    page.expect_unreadable(subscription);
}

#[test]
fn an_entry_of_yesterday_or_of_the_future_is_refused() {
    let now = TIME_MS.get();
    let stale = Code::MessageStale.name();
    for sealed_at in [0, now - DAY_MS, now - 15 * MINUTE_MS, now + 5 * MINUTE_MS, u64::MAX] {
        must_be_refused(entry_sealed(1, ANNA, 1, sealed_at), stale, &sealed_at.to_string());
    }
}

#[test]
fn an_earlier_entry_of_a_member_replaces_no_later_one() {
    let (mut page, subscription) = Harness::present(vec![entry(ANNA, 5)]);
    page.changes(2, vec![entry(ANNA, 4)], &[]);
    page.reconnect();
    page.watched();
    page.state(9, vec![entry(ANNA, 4)]);
    page.expect_nothing();
    assert_eq!(data(&page.client.members(subscription)), ["5"]);
}

#[test]
fn a_member_that_left_and_is_kept_disappears_within_fifteen_minutes() {
    let (mut member, of_member) = Harness::present(vec![]);
    let kept = reported(&member.entered(of_member, "1"));
    let sealed_at = content(&member.entered(of_member, "2")).sealed_at.0;
    assert!(sealed_at >= UNIX_START);
    let (mut page, subscription) = Harness::present(vec![kept.clone()]);
    page.pass_healthy(14 * MINUTE_MS);
    page.changes(2, vec![kept.clone()], &[]);
    assert_eq!(page.client.members(subscription).len(), 1);
    page.pass_healthy(MINUTE_MS);
    page.forget_states();
    let id = MemberId::try_from(&kept.member[..]).unwrap();
    assert_eq!(page.expect_members(&[subscription]), (vec![], vec![id]));
    page.changes(3, vec![kept], &[]);
    page.pass_healthy(40_000);
    page.forget_states();
    assert_eq!(page.expect_refusal(subscription), Code::MessageStale.name());
    assert!(page.client.members(subscription).is_empty());
}

#[test]
fn a_hidden_member_is_not_noticed_and_a_page_that_is_hidden_enters_again() {
    let (mut page, subscription) = Harness::present(vec![entry(ANNA, 1), entry(BEN, 1)]);
    page.changes(2, vec![], &[ANNA]);
    assert_eq!(page.expect_members(&[subscription]), (vec![], vec![ANNA]));
    let enter = page.entered(subscription, "1");
    let own = MemberId::try_from(&enter.member[..]).unwrap();
    page.changes(3, vec![reported(&enter)], &[]);
    page.expect_members(&[subscription]);
    for lie in 0..10 {
        page.changes(4 + lie, vec![], &[own]);
        assert!(page.sent.is_empty(), "a lie costs the page at most one request per second");
        page.advance(1_000);
        let request = page.expect_enter().request;
        page.accept(request);
    }
}

#[test]
fn a_flood_of_members_is_bounded() {
    let (mut page, subscription) = Harness::present(vec![]);
    let scope = context();
    let key = key(1).scope_key(APP, INSTALLATION, &scope).channel_key(None, NAME);
    let big = Entry {
        sealed_at: UnixMillis(UNIX_START + page.now_ms),
        entered_at: UnixMillis(UNIX_START),
        account: String::new(),
        data: "1".repeat(8_000),
        signature: None,
    };
    let members = (0..1_100_u32).map(|number| {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let sealed = place(id, 1).seal(&key, [7; 24], &big).into();
        PresenceEntry { member: id.to_vec().into(), number: 1, sealed, in_grace: false }
    });
    page.changes(2, members.collect(), &[]);
    let shown = page.expect_members(&[subscription]).0.len();
    assert_eq!(shown, 8 * 1024 * 1024 / 8_000);
    assert_eq!(page.expect_refusal(subscription), Code::TooManyMembers.name());
}

#[test]
fn a_relay_that_never_lists_the_next_version_costs_one_request_for_each_answer() {
    let (mut page, _) = Harness::present(vec![entry(ANNA, 1)]);
    for version in [7, 9, 0] {
        page.changes(version, vec![], &[]);
        page.changes(version + 1, vec![], &[]);
        let request = page.expect_watch().request;
        page.expect_nothing();
        page.accept(request);
        page.state(version, vec![entry(ANNA, 1)]);
        page.forget_states();
        page.expect_nothing();
    }
}
