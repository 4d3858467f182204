//! The effect of a removed signing key, and of the end of a relay that stands alone.

use crate::process::reload::{config, other_key};
use crate::support::{App, Client, RelayProcess, Scrape, accepted, channel, member, now};
use sealwire_protocol::{Code, tokens::Permissions, wire::Channel};

/// The settings in the configuration of these tests.
const SETTINGS: &str = "presence_grace = \"2m\"\nadmin_listen = \"127.0.0.1:0\"";

#[tokio::test]
async fn removing_a_signing_key_ends_the_presence_of_exactly_its_sessions() {
    let (first, second) = (App::one(), other_key());
    let relay = RelayProcess::start(&["--presence-grace", "2m", "--admin-listen", "127.0.0.1:0"]);
    relay.reload(&config(SETTINGS, &[&first, &second])).await;
    let mut watcher = Client::open_with(&relay, second.session("carol")).await;
    watcher.watch("absences").await;
    let mut leaving = Client::open_with(&relay, first.session("alice")).await;
    leaving.enter("absences", 1, 1).await;
    watcher.must_see(&[(1, 1)], &[]).await;
    let mut staying = Client::open_with(&relay, second.session("bob")).await;
    staying.enter("absences", 2, 1).await;
    watcher.must_see(&[(2, 1)], &[]).await;
    // A member whose connection is broken has its key no longer, either.
    let mut broken = Client::open_with(&relay, first.session("dave")).await;
    broken.enter("absences", 3, 1).await;
    watcher.must_see(&[(3, 1)], &[]).await;
    drop(broken);
    Scrape::until(&relay, "sealwire_presence_members_in_grace", 1.0).await;
    // The session of this one remains, and its channel token does not.
    let token = |app: &App| app.channel_token("absences", 1, Permissions::ALL, now() + 600);
    let claimed = |app: &App| Channel { token: token(app), ..channel("absences") };
    let mut claiming = Client::open_with(&relay, second.session("eve")).await;
    let id = accepted(claiming.try_enter(claimed(&first), 4, 1, 60).await);

    relay.reload(&config(SETTINGS, &[&second])).await;
    leaving.must_end_with(Code::TokenUnknownKey).await;
    claiming.must_lose_presence(id, Code::TokenUnknownKey).await;
    accepted(claiming.try_enter(claimed(&second), 4, 1, 60).await);
    // The two may leave in one batch or in two.
    let mut left = watcher.presence().await.left;
    if left.len() == 1 {
        left.extend(watcher.presence().await.left);
    }
    left.sort();
    assert_eq!(left, [member(1), member(3)]);
    staying.enter("absences", 2, 2).await;
    watcher.must_see(&[(2, 2)], &[]).await;
}

#[tokio::test]
async fn the_members_of_a_relay_that_stands_alone_end_with_it_and_enter_again() {
    let relay = RelayProcess::start(&[]);
    let mut alice = Client::open(&relay, "alice").await;
    alice.enter("absences", 1, 3).await;
    drop(relay);
    let relay = RelayProcess::start(&[]);
    let mut watcher = Client::open(&relay, "carol").await;
    let (_, state) = watcher.watch("absences").await;
    assert_eq!(state.entries, []);
    // A client returns with the entry that it had.
    let mut alice = Client::open(&relay, "alice").await;
    alice.enter("absences", 1, 3).await;
    watcher.must_see(&[(1, 3)], &[]).await;
}
