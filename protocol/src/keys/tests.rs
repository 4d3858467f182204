//! Tests of the key schedule: the keys of a context open its subsets and no other scope.

use super::*;
use crate::limits;
use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::{String, ToString},
    vec,
};
use proptest::{collection, prelude::*, sample};

const PROPERTIES: [&str; 4] = ["Zone", "issue", "module", "project"];

fn scope(pairs: &[(&str, &str)]) -> Scope {
    let mut scope = Scope::default();
    for (property, value) in pairs {
        scope.insert(property, value).unwrap();
    }
    scope
}

fn installation() -> EncryptionKey {
    EncryptionKey::new([5; 32])
}

fn bytes(key: &ScopeKey) -> Vec<u8> {
    key.as_bytes().to_vec()
}

/// All 81 scopes of the four properties with the values 1 and 2.
fn all_scopes() -> Vec<Scope> {
    let mut scopes = vec![Scope::default()];
    for property in PROPERTIES {
        for scope in scopes.clone() {
            for value in ["1", "2"] {
                let mut wider = scope.clone();
                wider.insert(property, value).unwrap();
                scopes.push(wider);
            }
        }
    }
    scopes
}

fn is_subset(scope: &Scope, context: &Scope) -> bool {
    scope.iter().all(|kept| context.iter().any(|pair| pair == kept))
}

/// Two or three contexts, since a user can hold the grants of several pages.
fn contexts() -> impl Strategy<Value = Vec<Scope>> {
    collection::vec(sample::select(all_scopes()), 2..=3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn grants_of_several_contexts_hold_the_keys_of_their_subsets_and_yield_no_other_key(contexts in contexts()) {
        let key = installation();
        let by_scope: BTreeMap<Scope, Vec<u8>> = all_scopes()
            .into_iter()
            .map(|scope| (scope.clone(), bytes(&key.scope_key("app", "site", &scope))))
            .collect();
        prop_assert_eq!(by_scope.values().collect::<BTreeSet<_>>().len(), 81, "no two scopes share a key");

        let grants: Vec<_> = contexts.iter().map(|context| key.scope_keys("app", "site", context)).collect();
        for (context, grant) in contexts.iter().zip(&grants) {
            let held: BTreeSet<_> = grant.iter().map(<[u8]>::to_vec).collect();
            let own: BTreeSet<_> = by_scope
                .iter()
                .filter(|(scope, _)| is_subset(scope, context))
                .map(|(_, key)| key.clone())
                .collect();
            prop_assert_eq!(held, own);
            for (scope, key) in &by_scope {
                let found = grant.scope_key(scope).map(|key| bytes(&key));
                prop_assert_eq!(found, is_subset(scope, context).then(|| key.clone()));
            }
        }

        // Every key that a holder of the grants can combine, also as a schedule with one key per property would.
        let union: BTreeSet<Vec<u8>> = grants.iter().flat_map(|grant| grant.iter().map(<[u8]>::to_vec)).collect();
        let mut reached = union.clone();
        for one in &union {
            reached.insert(derive(one, &[b"scope"]).to_vec());
            for other in &union {
                reached.insert(derive(&[&one[..], other].concat(), &[b"scope"]).to_vec());
            }
        }
        for target in by_scope.keys() {
            let held = |pairs: &[(&str, &str)]| grants.iter().find_map(|grant| grant.scope_key(&scope(pairs)));
            let parts: Option<Vec<_>> = target.iter().map(|pair| held(&[pair]).map(|key| bytes(&key))).collect();
            if let (Some(parts), Some(base)) = (parts, held(&[])) {
                reached.insert(derive(&[bytes(&base), parts.concat()].concat(), &[b"scope"]).to_vec());
            }
        }
        for (scope, key) in by_scope {
            let granted = contexts.iter().any(|context| is_subset(&scope, context));
            prop_assert_eq!(reached.contains(&key), granted, "{:?}", scope);
        }
    }
}

#[test]
fn the_keys_of_a_context_open_its_subsets_and_no_other_scope() {
    let context = scope(&[("issue", "1"), ("project", "2")]);
    let issue_b = scope(&[("issue", "9"), ("project", "2")]);
    let own = installation().scope_keys("app", "site", &context);
    let theirs = installation().scope_keys("app", "site", &issue_b);
    let key = |keys: &ScopeKeys, properties: &[&str], from: &Scope| {
        *keys.scope_key(&from.keep(properties).unwrap()).unwrap().channel_key(None, "chat").as_bytes()
    };
    for same in [&["project"][..], &[]] {
        assert_eq!(key(&own, same, &context), key(&theirs, same, &issue_b));
    }
    for other in [&["issue"][..], &["issue", "project"]] {
        assert_ne!(key(&own, other, &context), key(&theirs, other, &issue_b));
    }
    assert_ne!(key(&own, &["project"], &context), key(&own, &["issue", "project"], &context));
    for foreign in [&[("board", "1")][..], &[("issue", "9")], &[("issue", "1"), ("project", "3")]] {
        assert!(own.scope_key(&scope(foreign)).is_none(), "{foreign:?}");
    }
}

#[test]
fn a_scope_key_is_bound_to_app_installation_version_and_every_pair() {
    let chat = scope(&[("issue", "1"), ("module", "panel")]);
    let key = installation();
    let keys = [
        key.scope_key("app", "site", &chat),
        key.scope_key("app2", "site", &chat),
        key.scope_key("app", "site2", &chat),
        EncryptionKey::new([6; 32]).scope_key("app", "site", &chat),
        key.scope_key("app", "site", &Scope::default()),
        key.scope_key("app", "site", &scope(&[("issue", "panel"), ("module", "1")])),
        // The same characters with other boundaries between the parts.
        key.scope_key("apps", "ite", &chat),
        key.scope_key("app", "site", &scope(&[("issue", "1m"), ("odule", "panel")])),
        key.scope_key("app", "site", &scope(&[("issue1", "module"), ("panel", "x")])),
    ];
    let distinct: BTreeSet<_> = keys.iter().map(bytes).collect();
    assert_eq!(distinct.len(), keys.len());
}

#[test]
fn the_text_form_of_scope_keys_round_trips_and_fits_only_its_context() {
    let context = scope(&[("issue", "1"), ("module", "panel"), ("project", "2")]);
    let keys = installation().scope_keys("app", "site", &context);
    let text = keys.to_text();
    let read = ScopeKeys::parse(keys.id(), context.clone(), &text).unwrap();
    assert!(read.iter().eq(keys.iter()));
    assert_eq!(read.iter().len(), 8);
    assert!(!format!("{read:?}{:?}", read.scope_key(&context)).contains(&text[..8]));

    let fewer = context.keep(&["issue"]).unwrap();
    for (context, text) in [
        (&fewer, text.as_str()),
        (&context, &text[..text.len() - 4]),
        (&context, ""),
        (&context, "!"),
        (&Scope::default(), &"A".repeat(100_000)),
    ] {
        assert!(ScopeKeys::parse(keys.id(), context.clone(), text).is_none());
    }
}

#[test]
fn the_keys_of_the_largest_context_take_eight_kibibytes() {
    let mut context = Scope::default();
    for property in 0..limits::MAX_PROPERTIES {
        context.insert(&format!("p{property}"), "1").unwrap();
    }
    let keys = installation().scope_keys("app", "site", &context);
    assert_eq!(keys.iter().map(<[u8]>::len).sum::<usize>(), 8 * 1024);
    assert!(ScopeKeys::parse(keys.id(), context.clone(), &keys.to_text()).is_some());
    assert!(context.insert("one-more", "1").unwrap_err().to_string().contains("at most 8 properties"));
}

#[test]
fn a_claims_key_is_bound_to_its_channel_name_and_claims_and_opens_no_message_alone() {
    let key = installation();
    let (one, other) = (scope(&[("issue", "1")]), scope(&[("issue", "2")]));
    let claims = |name: &str, claims: &str| key.claims_key("app", "site", name, claims);
    let channel = |scope: &Scope, claims: Option<&ClaimsKey>, name: &str| {
        *key.scope_key("app", "site", scope).channel_key(claims, name).as_bytes()
    };
    let blue = claims("chat", r#"{"team":"blue"}"#);
    let keys = [
        channel(&one, None, "chat"),
        channel(&one, Some(&blue), "chat"),
        channel(&other, Some(&blue), "chat"),
        channel(&one, Some(&blue), "news"),
        channel(&one, Some(&claims("chat", r#"{"team":"red"}"#)), "chat"),
        channel(&one, Some(&claims("news", r#"{"team":"blue"}"#)), "chat"),
        channel(&one, Some(&claims("news", r#"{"team":"blue"}"#)), "news"),
        // The claims key used as if it were a scope key.
        *derive(blue.as_bytes(), &[b"channel", b"chat"]),
    ];
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
}

#[test]
fn a_channel_token_carries_its_claims_keys_beside_the_relays_token() {
    let key = installation();
    let claims_key = key.claims_key("app", "site", "chat", "{}");
    let payload =
        crate::encode_base64url(format!(r#"{{"tag":"{}","exp":9}}"#, crate::encode_base64url([6; 32])));
    let jwt = format!("e30.{payload}.c2ln");
    let text = ClaimsKeyring::write(&jwt, [(key.id(), &claims_key)]);
    let keyring = ClaimsKeyring::parse(&text).unwrap();
    assert_eq!((keyring.jwt.as_str(), keyring.tag), (jwt.as_str(), [6; 32]));
    assert!(keyring.find(key.id()).is_some());
    assert!(!format!("{keyring:?}{key:?}{claims_key:?}").contains(&jwt));
    for refused in
        [jwt.to_string(), format!("{jwt}~"), format!("{jwt}~a.b"), "a~b.c".to_string(), "~".repeat(9)]
    {
        assert!(ClaimsKeyring::parse(&refused).is_err(), "{refused}");
    }
}

#[test]
fn keys_are_ordered_by_the_bytes_of_the_property_names_lowest_bit_first() {
    let context = scope(&[("issue", "1"), ("Zone", "2")]);
    let keys = installation().scope_keys("app", "site", &context);
    let expected: [&[&str]; 4] = [&[], &["Zone"], &["issue"], &["issue", "Zone"]];
    for (found, kept) in keys.iter().zip(expected) {
        let key = installation().scope_key("app", "site", &context.keep(kept).unwrap());
        assert_eq!(found, key.as_bytes(), "{}", kept.iter().map(ToString::to_string).collect::<String>());
    }
}
