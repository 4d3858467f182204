//! The ends of members for which there is no grace time: expiry, revocation, and the loss of the permission.

use crate::process::revocation::disconnect;
use crate::support::{App, Client, RelayProcess, Scrape, accepted, channel, now};
use sealwire_protocol::{
    ChannelId, Code,
    tokens::{self, Permissions},
    wire::{Channel, Refresh, ToClient, ToRelay},
};
use serde_json::json;

/// Starts a relay with a grace time that is longer than any test.
fn relay() -> RelayProcess {
    RelayProcess::start(&["--presence-grace", "2m", "--admin-listen", "127.0.0.1:0"])
}

async fn watcher(relay: &RelayProcess) -> (Client, ChannelId) {
    let mut watcher = Client::open(relay, "carol").await;
    let (channel, _) = watcher.watch("absences").await;
    (watcher, channel)
}

fn claimed(tag: u8, can: Permissions, exp: u64) -> Channel {
    Channel { token: App::one().channel_token("absences", tag, can, exp), ..channel("absences") }
}

async fn refresh(client: &mut Client, channel_id: Option<ChannelId>, token: String) -> ToClient {
    let request = client.request();
    let channel_id = channel_id.map(Into::into).unwrap_or_default();
    client.send(ToRelay::Refresh(Refresh { request, channel_id, token })).await;
    client.next().await
}

#[tokio::test]
async fn a_member_leaves_when_its_session_token_expires_with_and_without_a_connection() {
    let relay = relay();
    let (mut watcher, _) = watcher(&relay).await;
    let mut connected = Client::open_with(&relay, App::one().session_until("alice", now() + 2)).await;
    connected.enter("absences", 1, 1).await;
    watcher.must_see(&[(1, 1)], &[]).await;
    let mut broken = Client::open_with(&relay, App::one().session_until("bob", now() + 4)).await;
    broken.enter("absences", 2, 1).await;
    watcher.must_see(&[(2, 1)], &[]).await;
    drop(broken);
    connected.must_end_with(Code::TokenExpired).await;
    watcher.must_see(&[], &[1]).await;
    watcher.must_see(&[], &[2]).await;
}

#[tokio::test]
async fn a_revocation_removes_members_with_and_without_a_connection() {
    let relay = relay();
    let (mut watcher, _) = watcher(&relay).await;
    let mut connected = Client::open(&relay, "mallory").await;
    connected.enter("absences", 1, 1).await;
    watcher.must_see(&[(1, 1)], &[]).await;
    let mut broken = Client::open(&relay, "mallory").await;
    broken.enter("absences", 2, 1).await;
    watcher.must_see(&[(2, 1)], &[]).await;
    let mut other = Client::open(&relay, "bob").await;
    other.enter("absences", 3, 1).await;
    watcher.must_see(&[(3, 1)], &[]).await;
    drop((broken, other));
    Scrape::until(&relay, "sealwire_presence_members_in_grace", 2.0).await;
    let answer = disconnect(&relay, &App::one().backend(), &json!({ "account": "mallory" })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    connected.must_end_with(Code::Revoked).await;
    // The two may leave in one batch or in two.
    let mut left = watcher.presence().await.left;
    if left.len() == 1 {
        left.extend(watcher.presence().await.left);
    }
    left.sort();
    assert_eq!(left, [crate::support::member(1), crate::support::member(2)]);
    let (_, state) = watcher.watch("absences").await;
    assert_eq!(state.entries.len(), 1);
    assert!(state.entries[0].in_grace);
}

#[tokio::test]
async fn a_session_whose_new_token_lacks_the_permission_loses_its_presences() {
    let relay = relay();
    let (mut watcher, channel) = watcher(&relay).await;
    let mut alice = Client::open(&relay, "alice").await;
    alice.enter("absences", 1, 1).await;
    alice.watch("absences").await;
    watcher.must_see(&[(1, 1)], &[]).await;
    let claims = App::one().claims("alice", Permissions::MESSAGES, (now() - 5, now() + 600));
    let token = tokens::sign(&claims, &App::one().key).unwrap();
    assert!(matches!(refresh(&mut alice, None, token).await, ToClient::Refreshed(_)));
    alice.must_lose_presence(channel, Code::PermissionMissing).await;
    watcher.must_see(&[], &[1]).await;
    alice.refused_enter(crate::support::channel("absences"), 1, 2, 60, Code::PermissionMissing).await;
    assert!(alice.is_quiet().await);
}

#[tokio::test]
async fn a_channel_token_that_expires_ends_the_presence_unless_it_is_refreshed() {
    let relay = relay();
    let mut alice = Client::open(&relay, "alice").await;
    let exp = now() + 3;
    let id = accepted(alice.try_enter(claimed(1, Permissions::ALL, exp), 1, 1, 60).await);
    let other = accepted(alice.try_enter(claimed(2, Permissions::ALL, exp), 1, 1, 60).await);
    let mut watcher = Client::open(&relay, "carol").await;
    accepted(watcher.try_watch(claimed(1, Permissions::ALL, now() + 60)).await);
    assert_eq!(watcher.presence().await.entries.len(), 1);
    // A token without the permission is refused, and one of other claims, too.
    let token = |tag, can| App::one().channel_token("absences", tag, can, now() + 60);
    let refused = refresh(&mut alice, Some(other), token(2, Permissions::MESSAGES)).await;
    crate::support::must_refuse(refused, Code::PermissionMissing);
    let refused = refresh(&mut alice, Some(other), token(1, Permissions::ALL)).await;
    crate::support::must_refuse(refused, Code::TokenIdentity);
    let refreshed = refresh(&mut alice, Some(other), token(2, Permissions::ALL)).await;
    assert!(matches!(refreshed, ToClient::Refreshed(_)), "{refreshed:?}");
    alice.must_lose_presence(id, Code::TokenExpired).await;
    watcher.must_see(&[], &[1]).await;
    // The other channel continues.
    accepted(alice.try_enter(claimed(2, Permissions::ALL, now() + 60), 1, 2, 60).await);
}
