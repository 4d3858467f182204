//! A scope: which context properties, with which values, a channel belongs to.

use crate::limits;
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, Visitor},
};

/// Context property to value, sorted by the property's bytes. Empty: the installation-wide scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Vec<(String, String)>);

/// A scope that breaks a rule, or that asks for a property that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidScope {
    /// More than [`limits::MAX_PROPERTIES`].
    #[error("a scope has at most {max} properties; keep fewer of them", max = limits::MAX_PROPERTIES)]
    TooMany,
    /// Not one of `A-Z a-z 0-9 _ -`, empty or too long.
    #[error("a property's name is 1 to {max} of A-Z a-z 0-9 _ -", max = limits::MAX_PROPERTY_NAME)]
    Name,
    /// Empty or too long.
    #[error("the value of property '{0}' must have 1 to {max} bytes", max = limits::MAX_PROPERTY_VALUE)]
    Value(String),
    /// Named twice.
    #[error("property '{0}' is named twice")]
    Repeated(String),
    /// The session's context does not have it.
    #[error("the session's context has no property '{0}'; keep only properties of the module's own context")]
    Unavailable(String),
}

impl Scope {
    /// Adds a property.
    ///
    /// # Errors
    /// [`InvalidScope`] where the name, the value or the number of properties breaks a limit, or the name is there
    /// already.
    pub fn insert(&mut self, property: &str, value: &str) -> Result<(), InvalidScope> {
        check_property_name(property)?;
        if value.is_empty() || value.len() > limits::MAX_PROPERTY_VALUE {
            return Err(InvalidScope::Value(property.to_string()));
        }
        let Err(place) = self.find(property) else {
            return Err(InvalidScope::Repeated(property.to_string()));
        };
        if self.0.len() == limits::MAX_PROPERTIES {
            return Err(InvalidScope::TooMany);
        }
        self.0.insert(place, (property.to_string(), value.to_string()));
        Ok(())
    }

    /// The place of a property, or the one where it belongs.
    fn find(&self, property: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_str().cmp(property))
    }

    /// The scope that keeps only `properties` of this one; their order does not matter.
    ///
    /// # Errors
    /// [`InvalidScope`] for a property that this scope lacks, that is named twice or that is no name.
    pub fn keep<S: AsRef<str>>(&self, properties: &[S]) -> Result<Self, InvalidScope> {
        Self::keep_of(properties, |property| self.find(property).ok().map(|place| &*self.0[place].1))
    }

    /// The same for a context that is held in another form: `value` gives the value of a property that is there.
    ///
    /// # Errors
    /// As [`Self::keep`].
    pub fn keep_of<'a, S: AsRef<str>>(
        properties: &[S],
        value: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<Self, InvalidScope> {
        if properties.len() > limits::MAX_PROPERTIES {
            return Err(InvalidScope::TooMany);
        }
        let mut kept = Self::default();
        for property in properties.iter().map(AsRef::as_ref) {
            check_property_name(property)?;
            let value = value(property).ok_or_else(|| InvalidScope::Unavailable(property.to_string()))?;
            kept.insert(property, value)?;
        }
        Ok(kept)
    }

    /// Properties and values, sorted by the property's bytes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(property, value)| (property.as_str(), value.as_str()))
    }

    /// How many properties.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this is the installation-wide scope.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn check_property_name(name: &str) -> Result<(), InvalidScope> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let sized = (1..=limits::MAX_PROPERTY_NAME).contains(&name.len());
    if sized && name.bytes().all(allowed) { Ok(()) } else { Err(InvalidScope::Name) }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ScopeVisitor)
    }
}

struct ScopeVisitor;

impl<'de> Visitor<'de> for ScopeVisitor {
    type Value = Scope;

    fn expecting(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("an object of context properties and their values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scope, A::Error> {
        let mut scope = Scope::default();
        while let Some((property, value)) = map.next_entry::<String, String>()? {
            scope.insert(&property, &value).map_err(A::Error::custom)?;
        }
        Ok(scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn scope(json: &str) -> Result<Scope, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn keeping_properties_ignores_their_order() {
        let context = scope(r#"{"issue":"1","project":"2","module":"m"}"#).unwrap();
        assert_eq!(context.keep(&["project", "issue"]), context.keep(&["issue", "project"]));
        assert_eq!(context.keep::<&str>(&[]), Ok(Scope::default()));
    }

    #[test]
    fn a_property_that_the_context_lacks_is_named_in_the_error() {
        let context = scope(r#"{"issue":"1"}"#).unwrap();
        assert_eq!(context.keep(&["board"]), Err(InvalidScope::Unavailable("board".to_string())));
    }

    #[test]
    fn scopes_past_the_limits_are_refused() {
        for json in [
            r#"{"a":"1","a":"2"}"#.to_string(),
            r#"{"":"1"}"#.to_string(),
            r#"{"a b":"1"}"#.to_string(),
            r#"{"a":""}"#.to_string(),
            r#"{"a":1}"#.to_string(),
            r#"["a"]"#.to_string(),
            format!(r#"{{"a":"{}"}}"#, "v".repeat(limits::MAX_PROPERTY_VALUE + 1)),
            format!(r#"{{"{}":"v"}}"#, "p".repeat(limits::MAX_PROPERTY_NAME + 1)),
            format!(
                "{{{}}}",
                (0..=limits::MAX_PROPERTIES).map(|n| format!(r#""p{n}":"v""#)).collect::<Vec<_>>().join(",")
            ),
        ] {
            assert!(scope(&json).is_err(), "{json}");
        }
    }
}
