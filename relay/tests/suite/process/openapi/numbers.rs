//! The codes and limits in the description are those of the protocol.

use crate::support::Description;
use sealwire_protocol::{Code, limits};
use serde_json::json;

#[test]
fn the_description_has_every_code_with_its_http_status() {
    let description = Description::read();
    // Only clients use the codes from 80 on.
    let codes: Vec<&str> =
        Code::ALL.iter().filter(|code| code.number() < 80).map(|code| code.name()).collect();
    assert_eq!(*description.at("/components/schemas/Code/enum"), json!(codes));
    for (method, path, status) in description.answers() {
        let at = format!("/paths/{}/{method}/responses/{status}", path.replace('/', "~1"));
        let mut schema = &description.at(&at)["content"]["application/json"]["schema"];
        // The response of a draining relay is the only one from 400 on that may not be an error.
        if path == "/readyz" && status == 503 {
            assert_eq!(schema["oneOf"][0]["$ref"], "#/components/schemas/Draining");
            schema = &schema["oneOf"][1];
        }
        let listed = schema["allOf"][1]["properties"]["error"]["properties"]["code"]["enum"].as_array();
        assert_eq!(listed.is_some(), status >= 400, "{at}");
        for name in listed.into_iter().flatten() {
            let code = Code::ALL.iter().find(|code| code.name() == name).unwrap();
            let meant = code.close_code().http_status();
            // HTTP has more specific statuses for some malformed requests.
            let is_own = *code == Code::MalformedRequest && [404, 408, 409, 415, 426].contains(&status);
            assert!(meant == status || is_own, "{at}: {name} means {meant}");
        }
    }
}

#[test]
fn the_description_has_the_limits_of_the_protocol() {
    let description = Description::read();
    let (schemas, base64) = ("/components/schemas", |bytes: usize| bytes.div_ceil(3) * 4);
    for (pointer, limit) in [
        ("Batch/properties/messages/maxItems", limits::MAX_BATCH),
        ("Results/properties/results/maxItems", limits::MAX_BATCH),
        ("Message/properties/channel/maxLength", limits::MAX_CHANNEL_NAME),
        ("Message/properties/event/maxLength", limits::MAX_EVENT_NAME),
        ("Message/properties/token/maxLength", limits::MAX_TOKEN),
        ("Message/properties/sealed/maxLength", base64(limits::MAX_SEALED)),
        ("Revocation/properties/account/maxLength", limits::MAX_ACCOUNT),
        ("Scope/maxProperties", limits::MAX_PROPERTIES),
        ("Scope/additionalProperties/maxLength", limits::MAX_PROPERTY_VALUE),
    ] {
        assert_eq!(*description.at(&format!("{schemas}/{pointer}")), json!(limit), "{pointer}");
    }
    let name = format!("^[A-Za-z0-9_-]{{1,{}}}$", limits::MAX_PROPERTY_NAME);
    assert_eq!(*description.at(&format!("{schemas}/Scope/propertyNames/pattern")), json!(name));
    assert_eq!(limits::IDEMPOTENCY_ID, 16);
    let grouped = |number: usize| {
        let digits = number.to_string();
        let groups: Vec<_> =
            digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap()).collect();
        groups.join(",")
    };
    for (pointer, words) in [
        (
            "/paths/~1v1~1publish/post/requestBody/description",
            format!("At most {} bytes", grouped(limits::MAX_BODY)),
        ),
        (
            "/paths/~1v1~1disconnect/post/requestBody/description",
            format!("At most {} bytes", grouped(limits::MAX_BODY)),
        ),
        (
            "/components/schemas/Revocation/properties/before/description",
            format!("At most {} s", limits::CLOCK_SKEW),
        ),
        (
            "/components/schemas/Message/properties/sealed/description",
            format!("69 to {} bytes", grouped(limits::MAX_SEALED)),
        ),
        (
            "/components/schemas/Message/properties/id/description",
            format!("{} bytes in base64url", limits::IDEMPOTENCY_ID),
        ),
        (
            "/components/securitySchemes/backendToken/description",
            format!(
                "at most {} apart. At most {} bytes",
                limits::MAX_BACKEND_TOKEN_LIFETIME,
                grouped(limits::MAX_TOKEN)
            ),
        ),
    ] {
        let text = description.at(pointer).as_str().unwrap();
        assert!(text.contains(&words), "{pointer} does not say '{words}': {text}");
    }
    assert_eq!(*description.at("/info/version"), json!(env!("CARGO_PKG_VERSION")));
}
