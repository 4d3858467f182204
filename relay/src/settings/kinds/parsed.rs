//! Values whose type reads and writes itself (`FromStr`, `Display`).

use super::value_kind::ValueKind;
use crate::proxies::TrustedProxies;
use serde_json::{Value, json};
use std::{fmt::Display, marker::PhantomData, str::FromStr};

/// The kind of a type that reads and writes itself.
pub(in crate::settings) struct Parsed<T>(PhantomData<T>);

pub(in crate::settings) const fn parsed<T>() -> Parsed<T> {
    Parsed(PhantomData)
}

/// The placeholder and the shape of such a value.
pub(in crate::settings) trait ParsedValue {
    const NAME: &'static str;
    const IS_LIST: bool = false;
}

impl<T: ParsedValue + FromStr<Err = String> + Display> ValueKind for Parsed<T> {
    type Value = T;
    const NAME: &'static str = T::NAME;
    const IS_LIST: bool = T::IS_LIST;

    fn read(&self, text: &str) -> Result<T, String> {
        text.parse()
    }

    fn write(&self, value: &T) -> Value {
        value.to_string().into()
    }

    fn schema(&self) -> Value {
        match T::IS_LIST {
            true => json!({ "type": ["string", "array"], "items": { "type": "string" } }),
            false => json!({ "type": "string" }),
        }
    }
}

impl ParsedValue for TrustedProxies {
    const NAME: &'static str = "ADDRESSES";
    const IS_LIST: bool = true;
}
