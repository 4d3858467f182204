//! Permissions, identities and lifetimes of tokens.

use super::*;

pub(super) const CASES: &[Case] = &[
    case("logic-token-of-another-channel", |target| {
        must_refuse_channel_token(
            target,
            &channel_token(&target.victim, "theirs", 1, Permissions::ALL, 600),
            Code::TokenChannel,
        );
    }),
    case("logic-token-of-another-installation", |target| {
        must_refuse_channel_token(
            target,
            &channel_token(&target.neighbour, "mine", 1, Permissions::ALL, 600),
            Code::TokenInstallation,
        );
    }),
    case("logic-token-of-another-app", |target| {
        must_refuse_channel_token(
            target,
            &channel_token(&target.stranger, "mine", 1, Permissions::ALL, 600),
            Code::TokenApp,
        );
    }),
    case("logic-token-of-another-kind", |target| {
        must_refuse_channel_token(target, &target.victim.backend(), Code::TokenAudience);
        must_refuse_channel_token(
            target,
            &target.victim.session("mallory", &context(), 600),
            Code::TokenAudience,
        );
    }),
    case("logic-publish-without-permission", |target| {
        let only = Permissions { subscribe: true, publish: false, presence: false };
        let mut mallory = RawSocket::open(target.port, &session(target, "mallory", &context(), only));
        let answer = mallory.publish(channel("read-only"), sealed("x"), random());
        must_fail(&answer, Code::PermissionMissing);
        let mut mallory = target.mallory();
        let token = channel_token(&target.victim, "read-only", 1, only, 600);
        let answer =
            mallory.publish(Channel { token: token.clone(), ..channel("read-only") }, sealed("x"), random());
        must_fail(&answer, Code::PermissionMissing);
        let answer = target.publish(&batch(&[message(json!({ "channel": "read-only", "token": token }))]));
        assert!(answer.contains("PERMISSION_MISSING"), "{answer}");
    }),
    case("logic-subscribe-without-permission", |target| {
        let only = Permissions { subscribe: false, publish: true, presence: false };
        let mut mallory = RawSocket::open(target.port, &session(target, "mallory", &context(), only));
        must_fail(&mallory.subscribe(channel("write-only"), None), Code::PermissionMissing);
        let mut mallory = target.mallory();
        let token = channel_token(&target.victim, "write-only", 1, only, 600);
        must_fail(
            &mallory.subscribe(Channel { token, ..channel("write-only") }, None),
            Code::PermissionMissing,
        );
    }),
    case("logic-refresh-to-another-identity", |target| {
        let mut mallory = target.mallory();
        let other_context = scope(&[("module", "absences"), ("dashboard", "10002")]);
        let wider = scope(&[("module", "absences"), ("dashboard", "10001"), ("issue", "1")]);
        for token in [
            target.victim.session("alice", &context(), 600),
            target.neighbour.session("mallory", &context(), 600),
            target.stranger.session("mallory", &context(), 600),
            target.victim.session("mallory", &other_context, 600),
            target.victim.session("mallory", &wider, 600),
            target.victim.session("mallory", &scope(&[]), 600),
        ] {
            must_fail(&refresh(&mut mallory, &[], token), Code::TokenIdentity);
        }
        must_stay_open(&mut mallory);
    }),
    case("logic-refresh-replayed", |target| {
        // An expired token stays expired, and an earlier token that is still valid extends nothing beyond its own expiry.
        let expired = target.token_with(json!({ "iat": now() - 100, "exp": now() - 1 }));
        let mut mallory = target.mallory();
        for _ in 0..3 {
            must_fail(&refresh(&mut mallory, &[], expired.clone()), Code::TokenExpired);
        }
        let earlier = target.victim.session("mallory", &context(), 300);
        for _ in 0..3 {
            match refresh(&mut mallory, &[], earlier.clone()) {
                ToClient::Refreshed(refreshed) => assert!(refreshed.expires_at <= now() + 300),
                other => panic!("{other:?}"),
            }
        }
    }),
    case("logic-refresh-with-fewer-permissions", |target| {
        let mut mallory = target.mallory();
        let id = subscribe(&mut mallory, channel("fewer"), None).channel_id;
        let token = session(
            target,
            "mallory",
            &context(),
            Permissions { subscribe: false, publish: false, presence: false },
        );
        assert!(matches!(refresh(&mut mallory, &[], token), ToClient::Refreshed(_)));
        match mallory.expect_message() {
            ToClient::Ended(ended) => {
                assert_eq!((ended.channel_id, ended.code), (id, Code::PermissionMissing.number()))
            }
            other => panic!("{other:?}"),
        }
        must_fail(&mallory.publish(channel("fewer"), sealed("x"), random()), Code::PermissionMissing);
    }),
    case("logic-refresh-of-other-claims", |target| {
        let with = |tag| channel_token(&target.victim, "refreshed", tag, Permissions::ALL, 600);
        let mut mallory = target.mallory();
        let id = subscribe(&mut mallory, Channel { token: with(1), ..channel("refreshed") }, None).channel_id;
        must_fail(&refresh(&mut mallory, &id, with(2)), Code::TokenIdentity);
        let other = channel_token(&target.victim, "another", 1, Permissions::ALL, 600);
        must_fail(&refresh(&mut mallory, &id, other), Code::TokenChannel);
        let plain = subscribe(&mut mallory, channel("refreshed"), None).channel_id;
        must_fail(&refresh(&mut mallory, &plain, with(1)), Code::TokenIdentity);
        must_fail(&refresh(&mut mallory, &[7; 16], with(1)), Code::NotSubscribed);
    }),
    slow("logic-expired-in-flight", |target| {
        // A publish that is in flight when the session ends is not accepted.
        let mut alice = target.alice();
        subscribe(&mut alice, channel("in-flight"), None);
        let exp = now() + 2;
        let token = target.token_with(json!({ "exp": exp }));
        let mut mallory = RawSocket::open(target.port, &token);
        let publish = sealwire_tests::frame(
            0x82,
            &mallory.publication(channel("in-flight"), sealed("late"), random()).to_bytes(),
        );
        let (first, rest) = publish.split_at(publish.len() - 1);
        mallory.send(first);
        while now() < exp {
            std::thread::sleep(Duration::from_millis(20));
        }
        // The relay's timer and its wall clock may differ by a fraction of a millisecond.
        std::thread::sleep(Duration::from_millis(20));
        mallory.send(rest);
        let end = mallory.read_to_end();
        assert_eq!((end.goodbye, end.close), (Some(Code::TokenExpired.number()), Some(4401)));
        assert!(end.before.is_empty(), "{end:?}");
        assert!(alice.is_quiet(QUIET));
    }),
    slow("logic-expired-channel-token", |target| {
        let token = channel_token(&target.victim, "brief", 1, Permissions::ALL, 2);
        let with = Channel { token, ..channel("brief") };
        let mut mallory = target.mallory();
        let id = subscribe(&mut mallory, with.clone(), None).channel_id;
        match mallory.expect_message() {
            ToClient::Ended(ended) => {
                assert_eq!((ended.channel_id, ended.code), (id, Code::TokenExpired.number()))
            }
            other => panic!("{other:?}"),
        }
        must_fail(&mallory.subscribe(with.clone(), None), Code::TokenExpired);
        must_fail(&mallory.publish(with, sealed("x"), random()), Code::TokenExpired);
    }),
    case("logic-revoked-token-again", |target| {
        let token = target.token_with(json!({ "sub": "revoked" }));
        let mut socket = RawSocket::open(target.port, &token);
        let answer = disconnect(target, &target.victim.backend(), json!({ "account": "revoked" }));
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(socket.read_to_end().goodbye, Some(Code::Revoked.number()));
        for _ in 0..3 {
            let mut again = RawSocket::upgraded(target.port);
            again.send_message(&ToRelay::Hello(Hello { token: token.clone() }));
            assert_eq!(again.read_to_end().goodbye, Some(Code::Revoked.number()));
        }
        let mut other = target.mallory();
        must_stay_open(&mut other);
    }),
    case("logic-disconnect-elsewhere", |target| {
        // Another installation, another app and a session cannot disconnect this installation's account.
        let mut alice = target.open_elsewhere(&target.victim, "wanted");
        for token in [target.neighbour.backend(), target.stranger.backend()] {
            let answer = disconnect(target, &token, json!({ "account": "wanted" }));
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        let answer = disconnect(target, &target.token_with(json!({})), json!({ "installation": true }));
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        must_stay_open(&mut alice);
    }),
];

/// Sends `POST /v1/disconnect` and returns the response.
fn disconnect(target: &Target, token: &str, body: serde_json::Value) -> String {
    let body = body.to_string();
    let head = format!(
        "POST /v1/disconnect HTTP/1.1\r\nhost: relay\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    target.exchange(format!("{head}{body}").as_bytes())
}
