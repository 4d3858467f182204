use super::{NameKind, NameTagKey, RoutingKey};
use crate::limits::{MAX_CHANNEL_NAME, MAX_EVENT_NAME, MAX_PROPERTY_VALUE, MAX_TAGGED_NAME};
use alloc::{string::String, vec::Vec};
use core::mem::discriminant;
use proptest::prelude::*;

const KINDS: [NameKind<'static>; 4] =
    [NameKind::Channel, NameKind::Event, NameKind::Value("issue"), NameKind::Value("project")];

fn key() -> NameTagKey {
    RoutingKey::new([7; 32]).name_tag_key("app", "site")
}

fn tag(kind: NameKind<'_>, name: &str) -> String {
    key().tag(kind, name).unwrap()
}

proptest! {
    #[test]
    fn a_tag_reads_back_as_its_name_and_as_no_other_kind(name in "[a-zé✓🔔]{1,39}") {
        for kind in [NameKind::Channel, NameKind::Event, NameKind::Value("issue")] {
            let tag = tag(kind, &name);
            prop_assert_eq!(key().name(kind, &tag), Some(name.clone()));
            prop_assert!(!tag.contains(&name) || name.len() < 4);
            for other in KINDS.into_iter().filter(|other| discriminant(other) != discriminant(&kind)) {
                prop_assert_eq!(key().name(other, &tag), None);
            }
        }
    }

    #[test]
    fn garbage_is_no_tag(text in "(~t1\\.)?[-A-Za-z0-9_.~é]{0,300}") {
        prop_assert!(KINDS.iter().all(|kind| key().name(*kind, &text).is_none()));
    }
}

#[test]
fn equal_names_have_equal_tags_and_different_kinds_properties_apps_and_installations_different_ones() {
    assert_eq!(tag(NameKind::Channel, "news"), tag(NameKind::Channel, "news"));
    let routing = RoutingKey::new([7; 32]);
    let mut tags: Vec<String> = KINDS.iter().map(|kind| tag(*kind, "news")).collect();
    tags.push(tag(NameKind::Channel, "new"));
    for other in [
        routing.name_tag_key("app", "other"),
        routing.name_tag_key("other", "site"),
        routing.value_tag_key("app", "site"),
        RoutingKey::new([8; 32]).name_tag_key("app", "site"),
    ] {
        tags.push(other.tag(NameKind::Channel, "news").unwrap());
    }
    let count = tags.len();
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), count);
}

#[test]
fn a_tag_of_another_installation_app_secret_or_purpose_reads_as_nothing() {
    let routing = RoutingKey::new([7; 32]);
    for other in [
        routing.name_tag_key("app", "other"),
        routing.name_tag_key("other", "site"),
        routing.value_tag_key("app", "site"),
        RoutingKey::new([8; 32]).name_tag_key("app", "site"),
    ] {
        for kind in KINDS {
            assert_eq!(other.name(kind, &tag(kind, "news")), None);
        }
    }
}

#[test]
fn every_changed_character_of_a_tag_is_detected() {
    let tag = tag(NameKind::Channel, "news");
    for index in 0..tag.len() {
        let mut changed = tag.clone().into_bytes();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(key().name(NameKind::Channel, &changed), None, "{index}");
        assert_eq!(key().name(NameKind::Channel, &tag[..index]), None, "{index}");
    }
}

#[test]
fn the_length_of_a_tag_reveals_the_length_of_its_name_in_steps_of_16_bytes_only() {
    let lengths = |name: usize| tag(NameKind::Channel, &"a".repeat(name)).len();
    assert_eq!([1, 8, 15].map(lengths), [63; 3]);
    assert_eq!([16, 24, 31].map(lengths), [84; 3]);
    assert_eq!([144, MAX_TAGGED_NAME].map(lengths), [255; 2]);
    let every: Vec<usize> = (1..=MAX_TAGGED_NAME).map(lengths).collect();
    assert!(every.windows(2).filter(|pair| pair[0] != pair[1]).count() == 9);
}

#[test]
fn the_longest_tag_fits_every_limit_of_names_and_a_longer_name_has_none() {
    const { assert!(MAX_CHANNEL_NAME >= 255 && MAX_EVENT_NAME >= 255 && MAX_PROPERTY_VALUE >= 255) };
    let (longest, longer) = ("a".repeat(MAX_TAGGED_NAME), "a".repeat(MAX_TAGGED_NAME + 1));
    for kind in KINDS {
        assert_eq!(key().name(kind, &tag(kind, &longest)), Some(longest.clone()));
        assert_eq!(key().tag(kind, &longer), None);
    }
}

#[test]
fn a_tag_is_refused_as_a_name() {
    let tag = tag(NameKind::Value("issue"), "10001");
    assert!(KINDS.iter().all(|kind| key().tag(*kind, &tag).is_none()));
}

#[test]
fn the_text_form_of_a_key_reads_back_and_no_other_length_does() {
    let text = key().to_text();
    assert!(NameTagKey::parse(&text).is_some_and(|read| read == key()));
    assert!(NameTagKey::parse(&text[1..]).is_none() && NameTagKey::parse("").is_none());
}
