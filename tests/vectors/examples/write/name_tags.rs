//! The tags of names in an app with blind names.

use super::{APP, SITE, counting};
use sealwire_protocol::{NameKind, NameTagKey, RoutingKey};
use sealwire_vectors::{NameTagCase, to_hex};

fn routing() -> RoutingKey {
    RoutingKey::new(counting(100))
}

pub(super) fn name_tags() -> Vec<NameTagCase> {
    let long = "a".repeat(159);
    let names = [
        (NameKind::Channel, "absences"),
        (NameKind::Channel, "exactly 15 byte"),
        (NameKind::Channel, "Über uns 🔔"),
        (NameKind::Channel, &long),
        (NameKind::Event, "absences"),
        (NameKind::Value("dashboard"), "10001"),
        (NameKind::Value("gadget"), "10001"),
    ];
    let mut cases: Vec<_> = names.map(|(kind, name)| tagged(kind, name)).into();
    let absences = cases[0].tag.clone();
    let last = if absences.ends_with('A') { "Q" } else { "A" };
    let altered = [&absences[..absences.len() - 1], last].concat();
    let other_site = routing().name_tag_key(APP, "ari:cloud:jira::site/other");
    let other_purpose = routing().value_tag_key(APP, SITE);
    cases.extend([
        refused("a tag of another kind", NameKind::Event, absences.clone()),
        refused("a tag of another installation", NameKind::Channel, tag(&other_site, "absences")),
        refused("a tag under the key of values", NameKind::Channel, tag(&other_purpose, "absences")),
        refused("an altered tag", NameKind::Channel, altered),
        refused("a tag that is cut short", NameKind::Channel, absences[..40].into()),
        refused("a name", NameKind::Channel, "absences".into()),
    ]);
    cases
}

fn key(kind: NameKind<'_>) -> NameTagKey {
    match kind {
        NameKind::Value(_) => routing().value_tag_key(APP, SITE),
        NameKind::Channel | NameKind::Event => routing().name_tag_key(APP, SITE),
    }
}

fn tag(key: &NameTagKey, channel: &str) -> String {
    key.tag(NameKind::Channel, channel).expect("the names here are short")
}

fn tagged(kind: NameKind<'_>, name: &str) -> NameTagCase {
    let tag = key(kind).tag(kind, name).expect("the names here are short");
    case("a name and its tag", kind, Some(name.into()), tag)
}

fn refused(what: &str, kind: NameKind<'_>, tag: String) -> NameTagCase {
    case(what, kind, None, tag)
}

fn case(what: &str, kind: NameKind<'_>, name: Option<String>, tag: String) -> NameTagCase {
    let (kind, property) = match kind {
        NameKind::Channel => ("channel", ""),
        NameKind::Event => ("event", ""),
        NameKind::Value(property) => ("value", property),
    };
    NameTagCase {
        what: what.into(),
        app: APP.into(),
        installation: SITE.into(),
        routing_key: to_hex(&counting::<32>(100)),
        kind: kind.into(),
        property: property.into(),
        name,
        tag,
    }
}
