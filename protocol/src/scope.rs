//! Scopes: the context properties and values that a channel belongs to.

use crate::{decimal, limits};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, Visitor},
};

/// A map of context properties to values, sorted by the bytes of the property names. The empty scope covers the whole
/// installation.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Vec<(String, String)>);

/// The error for a scope that exceeds a limit or requests a property that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
#[non_exhaustive]
pub enum InvalidScope {
    /// The scope has more properties than [`limits::MAX_PROPERTIES`].
    TooMany,
    /// A name is empty, too long or has a character other than `A-Z a-z 0-9 _ -`.
    Name,
    /// The value of this property is empty or too long.
    Value(String),
    /// This property is named twice.
    Repeated(String),
    /// The session's context does not have this property.
    Unavailable(String),
}

impl InvalidScope {
    /// Returns the text for people. It is not made by a formatter, so that the core for pages contains none.
    #[must_use]
    pub fn message(&self) -> String {
        let number = |number: usize| decimal(number as u64);
        match self {
            Self::TooMany => {
                let max = number(limits::MAX_PROPERTIES);
                ["a scope has at most ", &max, " properties; keep fewer of them"].concat()
            }
            Self::Name => {
                let max = number(limits::MAX_PROPERTY_NAME);
                ["a property's name has 1 to ", &max, " characters of A-Z a-z 0-9 _ -"].concat()
            }
            Self::Value(property) => {
                let max = number(limits::MAX_PROPERTY_VALUE);
                ["the value of property '", property, "' must have 1 to ", &max, " bytes"].concat()
            }
            Self::Repeated(property) => ["property '", property, "' is named twice"].concat(),
            Self::Unavailable(property) => {
                let hint = "'; keep only properties of the module's own context";
                ["the session's context has no property '", property, hint].concat()
            }
        }
    }
}

impl Scope {
    /// Adds a property.
    ///
    /// # Errors
    /// [`InvalidScope`] if the name, the value or the number of properties exceeds a limit, or if the scope already has
    /// the property.
    pub fn insert(&mut self, property: &str, value: &str) -> Result<(), InvalidScope> {
        check_property_name(property)?;
        if value.is_empty() || value.len() > limits::MAX_PROPERTY_VALUE {
            return Err(InvalidScope::Value(property.to_string()));
        }
        let Err(index) = self.find(property) else {
            return Err(InvalidScope::Repeated(property.to_string()));
        };
        if self.0.len() == limits::MAX_PROPERTIES {
            return Err(InvalidScope::TooMany);
        }
        self.0.insert(index, (property.to_string(), value.to_string()));
        Ok(())
    }

    /// Returns the index of a property, or the index at which to insert it.
    fn find(&self, property: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_str().cmp(property))
    }

    /// Returns the subset of this scope with only these properties, which may be in any order.
    ///
    /// # Errors
    /// [`InvalidScope`] for a property that this scope lacks, that is named twice or whose name is invalid.
    pub fn keep<S: AsRef<str>>(&self, properties: &[S]) -> Result<Self, InvalidScope> {
        Self::keep_of(properties, |property| self.find(property).ok().map(|index| &*self.0[index].1))
    }

    /// Like [`Self::keep`], for a context in another representation. `value` returns the value of a property, if any.
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

    /// Iterates over the properties and their values, sorted by the bytes of the property names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(property, value)| (property.as_str(), value.as_str()))
    }

    /// Returns the number of properties.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether this is the installation-wide scope.
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
    fn keep_ignores_the_order_of_the_properties() {
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
    fn scopes_outside_the_limits_are_refused() {
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
