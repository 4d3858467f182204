//! The JSON Schema of the configuration file, for editors.

use super::{Setting, Settings};
use serde_json::{Map, Value, json};

/// The JSON Schema (draft 2020-12) of the configuration file: each setting with its type, range, default and
/// documentation, and the apps with their keys.
#[must_use]
pub fn schema() -> Value {
    let defaults = Settings::default();
    let mut properties = Map::new();
    for setting in Setting::ALL {
        let mut property = (setting.schema)();
        if let Some(fields) = property.as_object_mut() {
            fields.insert("description".into(), setting.help().into());
            fields.insert("default".into(), (setting.write)(&defaults));
        }
        properties.insert(setting.key().into(), property);
    }
    properties.insert("app".into(), apps());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of a Sealwire relay",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

fn apps() -> Value {
    json!({
        "description": "The apps that the relay serves, each under [[app]].",
        "type": "array",
        "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["id"],
            "properties": {
                "id": {
                    "description": "The app's id, as its resolver names it.",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": sealwire_protocol::limits::MAX_APP,
                },
                "signing_keys": {
                    "description": "Signing keys, each '<kid>.<secret>' with a secret of 64 to 1024 bytes in base64url.",
                    "type": "array",
                    "items": { "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}\\.[A-Za-z0-9_-]+$" },
                },
                "signing_key_files": {
                    "description": "Files with one signing key each, relative to this file.",
                    "type": "array",
                    "items": { "type": "string" },
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{NewApp, template};

    #[test]
    fn the_schema_accepts_every_setting_and_refuses_misspelt_keys_and_invalid_values() {
        let schema = schema();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let new = NewApp::generate("a".into()).unwrap();
        let text = template(&new, "127.0.0.1:7440".parse().unwrap(), false);
        let file: toml::Table = text.parse().unwrap();
        let good = serde_json::to_value(file).unwrap();
        assert!(validator.is_valid(&good));
        for setting in Setting::ALL {
            let mut file = good.clone();
            file[setting.key()] = (setting.write)(&Settings::default());
            let problems: Vec<_> = validator.iter_errors(&file).map(|error| error.to_string()).collect();
            assert!(problems.is_empty(), "{setting:?}: {problems:?}");
            assert!(
                schema["properties"][setting.key()]["description"]
                    .as_str()
                    .is_some_and(|text| text.ends_with('.'))
            );
        }
        for (key, value) in [
            ("max_connectoins", json!(5)),
            ("heartbeat", json!(25)),
            ("max_subscriptions", json!(257)),
            ("proxy_protocol", json!("maybe")),
            ("log_format", json!("jason")),
            ("app", json!([{ "id": "" }])),
        ] {
            let mut file = good.clone();
            file[key] = value;
            assert!(!validator.is_valid(&file), "{key}");
        }
    }
}
