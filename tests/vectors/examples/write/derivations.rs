//! Channel ids and keys.

use super::{APP, SITE, counting, scope};
use sealwire_protocol::{ChannelAddress, ClaimsKey, EncryptionKey, RoutingKey, Scope, canonical_claims};
use sealwire_vectors::{ChannelCase, KeyCase, to_hex};

pub(super) fn channels() -> Vec<ChannelCase> {
    let case = |pairs: &[(&str, &str)], claims_tag: Option<[u8; 32]>, name: &str| {
        let scope = scope(pairs);
        let address = ChannelAddress {
            app: APP,
            installation: SITE,
            scope: &scope,
            claims_tag: claims_tag.as_ref(),
            name,
        };
        ChannelCase {
            app: APP.into(),
            installation: SITE.into(),
            channel_id: address.id().to_string(),
            claims_tag: claims_tag.map(|tag| to_hex(&tag)),
            name: name.into(),
            scope,
        }
    };
    vec![
        case(&[], None, "absences"),
        case(&[("dashboard", "10001")], None, "absences"),
        case(&[("dashboard", "10001"), ("gadget", "10100"), ("module", "absences-gadget")], None, "absences"),
        case(&[("dashboard", "10001")], Some(counting(0)), "absences"),
        case(&[("space", "Zürich ✓")], None, "Über uns 🔔"),
    ]
}

pub(super) fn keys() -> Vec<KeyCase> {
    let panel = scope(&[("issue", "10042"), ("module", "panel"), ("project", "10000")]);
    // Properties are sorted by their bytes, so that capitals come first.
    let capital = scope(&[("area", "Zürich ✓"), ("Zone", "2")]);
    let case = |context: &Scope, properties: &[&str], claims: Option<&str>| {
        let (key, routing) = (EncryptionKey::new(counting(0)), RoutingKey::new(counting(100)));
        let canonical = claims.map(|claims| canonical_claims(claims).expect("the claims below are objects"));
        let claims_key = canonical.as_deref().map(|claims| key.claims_key(APP, SITE, "chat", claims));
        let kept = context.keep(properties).expect("the properties below are in the context");
        let scope_key = key.scope_key(APP, SITE, &kept);
        KeyCase {
            app: APP.into(),
            installation: SITE.into(),
            encryption_key: to_hex(&counting::<32>(0)),
            routing_key: to_hex(&counting::<32>(100)),
            context: context.clone(),
            properties: properties.iter().map(|&property| property.into()).collect(),
            name: "chat".into(),
            claims: claims.map(Into::into),
            key_id: to_hex(&key.id().0),
            scope_keys: key.scope_keys(APP, SITE, context).to_text(),
            scope_key: to_hex(scope_key.as_bytes()),
            claims_tag: canonical
                .as_deref()
                .map(|claims| to_hex(&routing.claims_tag(APP, SITE, "chat", claims))),
            canonical_claims: canonical,
            claims_key: claims_key.as_ref().map(ClaimsKey::as_bytes).map(|key| to_hex(key)),
            channel_key: to_hex(scope_key.channel_key(claims_key.as_ref(), "chat").as_bytes()),
        }
    };
    vec![
        case(&panel, &["issue", "module", "project"], None),
        case(&panel, &["project", "issue"], None),
        case(&panel, &[], None),
        case(&capital, &["area"], None),
        case(&capital, &["area", "Zone"], None),
        case(&Scope::default(), &[], None),
        case(&panel, &["issue"], Some(r#"{ "team": "blue", "level": 3.0 }"#)),
        case(
            &panel,
            &[],
            Some(r#"{"€":"Euro","\r":"CR","1":"One","😀":"Smile","a":[1e21,-0,0.1,{"b":null}]}"#),
        ),
    ]
}
