//! Refused requests: permissions, foreign members, limits, and messages that are none.

use crate::support::{App, Client, RelayProcess, Scrape, accepted, channel, member, must_refuse, now};
use sealwire_protocol::{
    Code,
    tokens::{self, Permissions},
    wire::{Channel, PresenceEnter, ToClient, ToRelay},
};

#[tokio::test]
async fn presence_needs_its_own_permission_in_every_token() {
    let relay = RelayProcess::start(&[]);
    let app = App::one();
    let without = app.claims("alice", Permissions::MESSAGES, (now() - 5, now() + 600));
    let mut client = Client::open_with(&relay, tokens::sign(&without, &app.key).unwrap()).await;
    client.refused_enter(channel("absences"), 1, 1, 60, Code::PermissionMissing).await;
    must_refuse(client.try_watch(channel("absences")).await, Code::PermissionMissing);

    let mut client = Client::open(&relay, "alice").await;
    let claimed =
        |can| Channel { token: app.channel_token("absences", 1, can, now() + 60), ..channel("absences") };
    client.refused_enter(claimed(Permissions::MESSAGES), 1, 1, 60, Code::PermissionMissing).await;
    must_refuse(client.try_watch(claimed(Permissions::MESSAGES)).await, Code::PermissionMissing);
    accepted(client.try_watch(claimed(Permissions::ALL)).await);

    let only = Permissions { subscribe: false, publish: false, presence: true };
    let claims = app.claims("alice", only, (now() - 5, now() + 600));
    let mut client = Client::open_with(&relay, tokens::sign(&claims, &app.key).unwrap()).await;
    client.enter("absences", 1, 1).await;
    assert_eq!(client.refused_subscribe(channel("absences")).await.code, Code::PermissionMissing.number());
}

#[tokio::test]
async fn a_member_of_another_account_cannot_be_taken_over_or_removed() {
    let relay = RelayProcess::start(&["--admin-listen", "127.0.0.1:0"]);
    let mut alice = Client::open(&relay, "alice").await;
    let id = alice.enter("absences", 1, 1).await;
    let mut mallory = Client::open(&relay, "mallory").await;
    mallory.refused_enter(channel("absences"), 1, 2, 60, Code::MemberConflict).await;
    must_refuse(mallory.try_leave(id, 1).await, Code::MemberConflict);
    drop(alice);
    Scrape::until(&relay, "sealwire_presence_members_in_grace", 1.0).await;
    mallory.refused_enter(channel("absences"), 1, 2, 60, Code::MemberConflict).await;
    must_refuse(mallory.try_leave(id, 1).await, Code::MemberConflict);
    // The session has no other member on the channel, and may have one.
    mallory.enter("absences", 2, 5).await;
    mallory.refused_enter(channel("absences"), 3, 1, 60, Code::MemberConflict).await;
    mallory.refused_enter(channel("absences"), 2, 4, 60, Code::EntryOutdated).await;
    mallory.refused_enter(channel("absences"), 2, 5, 61, Code::EntryOutdated).await;
    // Each is audited without the member and the entry.
    assert!(relay.log().contains("presence") && relay.log().contains("MEMBER_CONFLICT"));
    assert_eq!(Scrape::of(&relay).await.value("sealwire_refusals_total{code=\"MEMBER_CONFLICT\"}"), 5.0);
}

#[tokio::test]
async fn every_limit_has_its_code_and_is_counted() {
    let limits = ["--max-presence-members", "2", "--max-presence-channels", "3", "--presence-rate", "1"];
    let sizes =
        ["--max-presence-entry-bytes", "9KiB", "--max-presence-bytes", "16KiB", "--presence-burst", "8"];
    let relay = RelayProcess::start(&[&limits[..], &sizes, &["--admin-listen", "127.0.0.1:0"]].concat());
    let mut alice = Client::open(&relay, "alice").await;
    let mut bob = Client::open(&relay, "bob").await;
    alice.enter("absences", 1, 1).await;
    bob.enter("absences", 2, 1).await;
    let mut carol = Client::open(&relay, "carol").await;
    carol.refused_enter(channel("absences"), 3, 1, 60, Code::TooManyMembers).await;
    alice.refused_enter(channel("absences"), 1, 2, 9217, Code::MessageSize).await;
    alice.refused_enter(channel("absences"), 1, 2, 44, Code::MessageSize).await;
    accepted(alice.try_enter(channel("absences"), 1, 2, 9216).await);
    bob.refused_enter(channel("absences"), 2, 2, 9216, Code::TooManyMembers).await;
    for name in ["second", "third"] {
        alice.watch(name).await;
    }
    must_refuse(alice.try_watch(channel("fourth")).await, Code::TooManyPresences);
    let mut refused = false;
    for number in 3..20 {
        if let ToClient::Failed(failed) = alice.try_enter(channel("absences"), 1, number, 60).await {
            assert_eq!(failed.code, Code::RateLimited.number());
            assert!(failed.retry_after_ms > 0);
            refused = true;
            break;
        }
    }
    assert!(refused);
    let scrape = Scrape::of(&relay).await;
    for limit in [
        "max_presence_members",
        "max_presence_bytes",
        "max_presence_entry_bytes",
        "max_presence_channels",
        "presence_rate",
    ] {
        assert_eq!(
            scrape.value(&format!("sealwire_limit_refusals_total{{limit=\"{limit}\"}}")),
            1.0,
            "{limit}"
        );
    }
}

#[tokio::test]
async fn an_account_that_reached_its_limit_of_members_leaves_room_for_others() {
    let flags = ["--max-presence-members-per-account", "2", "--admin-listen", "127.0.0.1:0"];
    let relay = RelayProcess::start(&flags);
    let mut pages = Vec::new();
    for number in 1..=2 {
        let mut page = Client::open(&relay, "mallory").await;
        page.enter("absences", number, 1).await;
        pages.push(page);
    }
    let mut third = Client::open(&relay, "mallory").await;
    let answer = third.try_enter(channel("absences"), 3, 1, 60).await;
    let ToClient::Failed(failed) = &answer else { panic!("{answer:?}") };
    assert!(failed.message.contains("max_presence_members_per_account") && failed.retry_after_ms > 0);
    must_refuse(answer, Code::TooManyMembers);
    // The other channel, the other account, and the entries of present members are not concerned.
    third.enter("rotation", 3, 1).await;
    Client::open(&relay, "bob").await.enter("absences", 4, 1).await;
    let id = pages[0].enter("absences", 1, 2).await;
    accepted(pages[0].try_leave(id, 1).await);
    third.enter("absences", 3, 1).await;
    let refusals = "sealwire_limit_refusals_total{limit=\"max_presence_members_per_account\"}";
    assert_eq!(Scrape::of(&relay).await.value(refusals), 1.0);
}

#[tokio::test]
async fn a_message_with_a_short_member_id_ends_the_session_and_its_member() {
    let relay = RelayProcess::start(&["--presence-grace", "2m"]);
    let mut watcher = Client::open(&relay, "carol").await;
    watcher.watch("absences").await;
    let mut mallory = Client::open(&relay, "mallory").await;
    mallory.enter("absences", 1, 1).await;
    watcher.must_see(&[(1, 1)], &[]).await;
    let member = member(1).slice(1..);
    let request =
        PresenceEnter { request: 9, channel: Some(channel("absences")), member, ..Default::default() };
    mallory.send(ToRelay::PresenceEnter(request)).await;
    mallory.must_end_with(Code::MalformedFrame).await;
    watcher.must_see(&[], &[1]).await;
}
