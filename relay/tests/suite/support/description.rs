//! The OpenAPI description of the relay, and the validation of responses against it.

use super::http::Answer;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The description of the relay's HTTP interface. Here, a field that the description does not name is an error,
/// although clients must tolerate such fields.
pub struct Description {
    /// The description with all shared responses inlined.
    document: Value,
    closed: Value,
}

/// A described response: method, path and status.
pub type Described = (String, String, u16);

impl Description {
    pub fn read() -> Self {
        let document = inlined(serde_json::from_str(sealwire_protocol::OPENAPI).unwrap());
        let mut closed = document.clone();
        close(&mut closed);
        Self { document, closed }
    }

    /// Returns the value at a pointer, which must exist.
    pub fn at(&self, pointer: &str) -> &Value {
        self.document.pointer(pointer).unwrap_or_else(|| panic!("the description has no {pointer}"))
    }

    /// Returns all described responses.
    pub fn answers(&self) -> BTreeSet<Described> {
        let mut answers = BTreeSet::new();
        for (path, operations) in self.at("/paths").as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                for status in operation["responses"].as_object().unwrap().keys() {
                    answers.insert((method.clone(), path.clone(), status.parse().unwrap()));
                }
            }
        }
        answers
    }

    /// Returns the validation errors of a value under the schema at `pointer`.
    pub fn faults(&self, pointer: &str, value: &Value) -> Vec<String> {
        self.at(pointer);
        let mut schema = self.closed.clone();
        schema["$ref"] = json!(format!("#{pointer}"));
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        validator.iter_errors(value).map(|error| format!("{error} at {}", error.instance_path())).collect()
    }

    /// Checks that a response is described. For an undescribed path or method, it must be a plain `Failure`.
    pub fn check(&self, method: &str, path: &str, answer: &Answer) -> Option<Described> {
        let method = method.to_ascii_lowercase();
        let (pointer, status) = (path.replace('/', "~1"), answer.status);
        let at = format!("/paths/{pointer}/{method}/responses/{status}");
        let (schema, described) = match self.document.pointer(&at) {
            Some(response) => {
                if let Some(headers) = response["headers"].as_object().filter(|headers| headers.len() == 1) {
                    for (name, header) in headers {
                        let value = header["schema"]["const"].as_str().unwrap_or_default();
                        let line = format!("\r\n{name}: {value}").to_ascii_lowercase();
                        assert!(
                            answer.head.contains(&line),
                            "{method} {path}: {line} is missing: {answer:?}"
                        );
                    }
                }
                let schema = format!("{at}/content/application~1json/schema");
                (schema, Some((method.clone(), path.to_owned(), status)))
            }
            None => {
                let known = self.document.pointer(&format!("/paths/{pointer}"));
                let expected = if known.is_none() { 404 } else { 405 };
                assert_eq!(status, expected, "{method} {path} {answer:?}");
                assert!(known.and_then(|operations| operations.get(&method)).is_none(), "{answer:?}");
                ("/components/schemas/Failure".to_owned(), None)
            }
        };
        assert!(answer.head.contains("\r\ncontent-type: application/json"), "{answer:?}");
        assert!(answer.head.contains("\r\nx-request-id: "), "{answer:?}");
        if let Some(wait) = answer.body["error"]["retryAfterMs"].as_u64() {
            let line = format!("\r\nretry-after: {}", wait.div_ceil(1000));
            assert!(answer.head.contains(&line), "{answer:?}");
        }
        assert_eq!(self.faults(&schema, &answer.body), [""; 0], "{method} {path} {answer:?}");
        described
    }
}

/// Replaces references to shared responses with the responses.
fn inlined(mut document: Value) -> Value {
    let shared = document["components"]["responses"].clone();
    for operations in document["paths"].as_object_mut().unwrap().values_mut() {
        for operation in operations.as_object_mut().unwrap().values_mut() {
            for response in operation["responses"].as_object_mut().unwrap().values_mut() {
                if let Some(name) = response["$ref"].as_str() {
                    *response = shared[name.rsplit_once('/').unwrap().1].clone();
                }
            }
        }
    }
    document
}

/// Forbids unlisted properties in every object schema.
fn close(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let is_object = fields.get("type").is_some_and(|kind| kind == "object");
            if is_object && fields.contains_key("properties") {
                fields.entry("additionalProperties").or_insert(json!(false));
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}
