//! The names of channels, events and values as the relay sees them: themselves, or their tags in an app with blind names.

use super::{
    inputs::{app_and_installation, scope},
    objects::{properties, read, write},
    secret::{Secret, routing_key},
};
use crate::error::{invalid_argument, with_code};
use sealwire_protocol::{Code, NAME_TAG_PREFIX, NameKind, NameTagKey, RoutingKey, Scope, decimal, limits};
use serde::Serialize;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

/// The keys of an installation's tags.
struct Keys {
    names: NameTagKey,
    values: NameTagKey,
}

impl Keys {
    fn new(routing: &RoutingKey, app: &str, installation: &str) -> Self {
        Self {
            names: routing.name_tag_key(app, installation),
            values: routing.value_tag_key(app, installation),
        }
    }

    fn scope(&self, scope: &Scope) -> Result<Scope, JsValue> {
        let mut tagged = Scope::default();
        for (property, value) in scope.iter() {
            let tag = self.values.tag(NameKind::Value(property), value);
            let tag = tag.ok_or_else(|| {
                untaggable(Code::ScopeRefused, "the value of the property ", property, value)
            })?;
            tagged
                .insert(property, &tag)
                .map_err(|invalid| with_code(Code::ScopeRefused, &invalid.message()))?;
        }
        Ok(tagged)
    }
}

/// Translates names to those that the relay sees.
pub(super) struct Names(Option<Keys>);

impl Names {
    /// `are_blind` is the app's option `blindNames`.
    pub(super) fn new(secret: &Secret, app: &str, installation: &str, are_blind: bool) -> Self {
        Self(are_blind.then(|| Keys::new(&secret.routing, app, installation)))
    }

    pub(super) fn channel(&self, name: &str) -> Result<String, JsValue> {
        self.tag(NameKind::Channel, "channel", name)
    }

    /// The default event, whose name is empty, has no tag.
    pub(super) fn event(&self, name: &str) -> Result<String, JsValue> {
        if name.is_empty() { Ok(String::new()) } else { self.tag(NameKind::Event, "event", name) }
    }

    fn tag(&self, kind: NameKind<'_>, label: &str, name: &str) -> Result<String, JsValue> {
        match &self.0 {
            None => Ok(name.to_owned()),
            Some(keys) => keys
                .names
                .tag(kind, name)
                .ok_or_else(|| untaggable(Code::NameInvalid, "the name of the ", label, name)),
        }
    }

    pub(super) fn scope(&self, scope: Scope) -> Result<Scope, JsValue> {
        match &self.0 {
            None => Ok(scope),
            Some(keys) => keys.scope(&scope),
        }
    }

    /// Returns the key with which a page writes and reads tags. It reads no value of a property.
    pub(super) fn key_of_pages(&self) -> Option<String> {
        self.0.as_ref().map(|keys| keys.names.to_text())
    }
}

fn untaggable(code: Code, what: &str, which: &str, name: &str) -> JsValue {
    let message = if name.len() > limits::MAX_TAGGED_NAME {
        let (has, max) = (decimal(name.len() as u64), decimal(limits::MAX_TAGGED_NAME as u64));
        [what, which, " has ", &has, " bytes; the limit with blindNames is ", &max].concat()
    } else {
        [what, which, " begins like a tag, with ", NAME_TAG_PREFIX, "; pass the name itself"].concat()
    };
    with_code(code, &message)
}

/// Returns properties with the tags of their values.
///
/// # Errors
/// An error if an argument is invalid, or if a value is too long for a tag.
#[wasm_bindgen(js_name = tagValues)]
pub fn tag_values(
    app: &str,
    installation: &str,
    context: &JsValue,
    secret: &JsValue,
) -> Result<JsValue, JsValue> {
    let routing = routing_key(secret)?;
    app_and_installation(app, installation)?;
    let context = read(context, "the properties", properties)?;
    write(&Keys::new(&routing, app, installation).scope(&scope(&context)?)?)
}

#[derive(Serialize)]
struct Named {
    kind: &'static str,
    name: String,
}

/// Returns `{ kind, name }` of a tag, where `kind` is `channel`, `event` or `value`.
///
/// # Errors
/// An error if an argument is invalid, or if the tag was not written with this secret for this app and installation.
#[wasm_bindgen(js_name = nameOf)]
pub fn name_of(app: &str, installation: &str, tag: &str, secret: &JsValue) -> Result<JsValue, JsValue> {
    let routing = routing_key(secret)?;
    app_and_installation(app, installation)?;
    if !tag.starts_with(NAME_TAG_PREFIX) {
        let what = "nameOf() takes a tag as the relay shows it, which begins with ";
        return Err(invalid_argument(&[what, NAME_TAG_PREFIX].concat()));
    }
    let Keys { names, values } = Keys::new(&routing, app, installation);
    let kinds = [
        ("channel", &names, NameKind::Channel),
        ("event", &names, NameKind::Event),
        ("value", &values, NameKind::Value("")),
    ];
    let named = kinds.into_iter().find_map(|(label, key, kind)| Some((label, key.name(kind, tag)?)));
    let (kind, name) = named.ok_or_else(|| {
        invalid_argument(
            "the tag is not one of this installation: pass the context of its own installation and environment, and the \
             whole tag; tags from before a loss of the installation's secret cannot be read",
        )
    })?;
    write(&Named { kind, name })
}
