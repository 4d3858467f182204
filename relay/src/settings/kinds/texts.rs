//! Values that are texts with a fixed form: booleans, files, modes, addresses, log filters and log formats.

use super::value_kind::ValueKind;
use crate::settings::{log_format::LogFormat, suggestion::unknown};
use serde_json::{Value, json};
use std::{net::SocketAddr, path::PathBuf};
use tracing_subscriber::filter::{LevelFilter, Targets};

/// The text that stands for no file and no address.
pub(crate) const OFF: &str = "off";

/// The placeholder of booleans.
pub(in crate::settings) const BOOLEAN: &str = "BOOL";

/// A boolean.
pub(in crate::settings) struct Flag;

impl ValueKind for Flag {
    type Value = bool;
    const NAME: &'static str = BOOLEAN;

    fn read(&self, text: &str) -> Result<bool, String> {
        text.parse().map_err(|_| format!("'{text}' is neither true nor false"))
    }

    fn write(&self, value: &bool) -> Value {
        (*value).into()
    }

    fn schema(&self) -> Value {
        json!({ "type": "boolean" })
    }
}

/// The path of a file, or `off`.
pub(in crate::settings) struct File;

impl ValueKind for File {
    type Value = Option<PathBuf>;
    const NAME: &'static str = "FILE";
    const IS_PATH: bool = true;

    fn read(&self, text: &str) -> Result<Option<PathBuf>, String> {
        Ok((text != OFF).then(|| text.into()))
    }

    fn write(&self, value: &Option<PathBuf>) -> Value {
        value.as_deref().map_or_else(|| OFF.to_owned(), |path| path.display().to_string()).into()
    }

    fn schema(&self) -> Value {
        json!({ "type": "string" })
    }
}

/// The path of a directory, or `off`.
pub(in crate::settings) struct Directory;

impl ValueKind for Directory {
    type Value = Option<PathBuf>;
    const NAME: &'static str = "DIRECTORY";
    const IS_PATH: bool = true;

    fn read(&self, text: &str) -> Result<Option<PathBuf>, String> {
        File.read(text)
    }

    fn write(&self, value: &Option<PathBuf>) -> Value {
        File.write(value)
    }

    fn schema(&self) -> Value {
        File.schema()
    }
}

/// A name of up to 256 bytes without control characters, or empty.
pub(in crate::settings) struct Name;

impl ValueKind for Name {
    type Value = String;
    const NAME: &'static str = "NAME";

    fn read(&self, text: &str) -> Result<String, String> {
        match text.len() <= 256 && !text.chars().any(char::is_control) {
            true => Ok(text.to_owned()),
            false => {
                Err("the name has more than 256 bytes or a control character; use a shorter name".to_owned())
            }
        }
    }

    fn write(&self, value: &String) -> Value {
        value.as_str().into()
    }

    fn schema(&self) -> Value {
        json!({ "type": "string" })
    }
}

/// The mode of a file, as text of exactly four digits. A TOML number or fewer digits would be ambiguous.
pub(in crate::settings) struct Mode;

impl ValueKind for Mode {
    type Value = u32;
    const NAME: &'static str = "OCTAL";

    fn read(&self, text: &str) -> Result<u32, String> {
        let mode = u32::from_str_radix(text, 8).ok().filter(|_| text.len() == 4 && text.starts_with('0'));
        mode.ok_or_else(|| {
            format!("'{text}' is not a mode; write 0 and three octal digits as text, such as \"0660\"")
        })
    }

    fn write(&self, value: &u32) -> Value {
        format!("{value:04o}").into()
    }

    fn schema(&self) -> Value {
        json!({ "type": "string", "pattern": "^0[0-7]{3}$" })
    }
}

/// An address with a port, or `off`.
pub(in crate::settings) struct Address;

impl ValueKind for Address {
    type Value = Option<SocketAddr>;
    const NAME: &'static str = "ADDRESS";

    fn read(&self, text: &str) -> Result<Option<SocketAddr>, String> {
        if text == OFF {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| {
            format!(
                "'{text}' is not an address; write an IP address and a port, such as 127.0.0.1:7441; or write off"
            )
        })
    }

    fn write(&self, value: &Option<SocketAddr>) -> Value {
        value.map_or_else(|| OFF.to_owned(), |address| address.to_string()).into()
    }

    fn schema(&self) -> Value {
        json!({ "type": "string" })
    }
}

/// A level, or targets with levels.
pub(in crate::settings) struct LogFilter;

impl ValueKind for LogFilter {
    type Value = String;
    const NAME: &'static str = "FILTER";

    fn read(&self, text: &str) -> Result<String, String> {
        // `Targets` alone would accept a misspelt level as the name of a target.
        let is_level = |part: &str| part.contains('=') || part.trim().parse::<LevelFilter>().is_ok();
        if text.split(',').all(is_level) && text.parse::<Targets>().is_ok() {
            return Ok(text.to_owned());
        }
        Err(format!(
            "'{text}' is not a log filter; write a level, or targets with levels, such as info,audit=warn"
        ))
    }

    fn write(&self, value: &String) -> Value {
        value.as_str().into()
    }

    fn schema(&self) -> Value {
        json!({ "type": "string" })
    }
}

/// The name of a log format.
pub(in crate::settings) struct LogFormatName;

impl ValueKind for LogFormatName {
    type Value = LogFormat;
    const NAME: &'static str = "FORMAT";

    fn read(&self, text: &str) -> Result<LogFormat, String> {
        text.parse().map_err(|()| unknown("format", text, &LogFormat::NAMES))
    }

    fn write(&self, value: &LogFormat) -> Value {
        value.to_string().into()
    }

    fn schema(&self) -> Value {
        json!({ "enum": LogFormat::NAMES })
    }
}
