//! The configuration file that `sealwire-relay init` writes, with a new app.

use crate::settings::{Setting, Settings, key};
use sealwire_protocol::encode_base64url;
use std::{fmt::Write as _, net::SocketAddr};
use zeroize::Zeroizing;

/// The length of a new signing secret, in bytes.
const SECRET: usize = 64;
/// The length of a new key id, in random bytes.
const KEY_ID: usize = 6;

/// An app with its first signing key.
pub struct NewApp {
    /// The app's id.
    pub id: String,
    /// The key, as `<kid>.<base64url secret>`.
    pub signing_key: Zeroizing<String>,
}

impl NewApp {
    /// Generates a random key.
    ///
    /// # Errors
    /// The system's error if it returns no random bytes.
    pub fn generate(id: String) -> Result<Self, getrandom::Error> {
        let mut key_id = [0; KEY_ID];
        getrandom::fill(&mut key_id)?;
        let mut secret = Zeroizing::new([0; SECRET]);
        getrandom::fill(&mut *secret)?;
        let secret = Zeroizing::new(encode_base64url(*secret));
        // Hexadecimal, so that the key never begins with a dash like an option of a command.
        let key_id: String = key_id.iter().map(|byte| format!("{byte:02x}")).collect();
        let signing_key = Zeroizing::new(format!("{key_id}.{}", *secret));
        Ok(Self { id, signing_key })
    }
}

/// Writes a configuration file that sets the address, the proxy in front and the app. Every other setting is a comment with
/// its documentation and its default. The file of a local relay also allows the pages of `forge tunnel`.
#[must_use]
pub fn template(app: &NewApp, listen: SocketAddr, local: bool) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    comment(
        &mut text,
        "Configuration of a Sealwire relay. Each setting can also be given as an environment variable \
         (SEALWIRE_RELAY_LISTEN, …) or as a flag (--listen, …). `sealwire-relay check-config` prints the values in force.",
    );
    let defaults = Settings::default();
    for setting in Setting::ALL {
        text.push('\n');
        comment(&mut text, &setting.help());
        let (mark, value) = match setting.key() {
            key if key == key!(listen) => ("", quoted(&listen.to_string())),
            // A proxy on this machine is likely, and without its address all clients would share the limits of one address.
            key if key == key!(trusted_proxies) && listen.ip().is_loopback() => {
                ("", format!("[{}]", quoted(&listen.ip().to_string())))
            }
            key if key == key!(allowed_origins) && local => ("", quoted("forge, tunnel")),
            _ => ("# ", setting.value(&defaults)),
        };
        let _ = writeln!(text, "{mark}{} = {value}", setting.key());
    }
    let _ = writeln!(text, "\n[[app]]\nid = {}", quoted(&app.id));
    comment(
        &mut text,
        "Each key is \"<kid>.<secret>\". To rotate, add the next key here before the app signs with it, and remove the old \
         one a day later.",
    );
    let _ = writeln!(text, "signing_keys = [{}]", quoted(&app.signing_key));
    text
}

/// The maximum length of a comment's line, in bytes.
const WIDTH: usize = 100;

/// Adds a text as comment lines. Links lose their targets, which are headings of the documentation.
fn comment(text: &mut String, help: &str) {
    let mut line = String::from("#");
    for word in without_targets(help).split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}

/// Replaces links such as `[Origins](#origins)` by their text.
fn without_targets(help: &str) -> String {
    let mut parts = help.split("](#");
    let first = parts.next().unwrap_or_default().to_owned();
    let text = parts.fold(first, |text, part| text + part.split_once(')').map_or("", |(_, rest)| rest));
    text.replace('[', "")
}

/// Quotes a text as a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
