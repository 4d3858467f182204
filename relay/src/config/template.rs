//! A first configuration, with a fresh app.

use sealwire_protocol::encode_base64url;
use std::net::SocketAddr;
use zeroize::Zeroizing;

/// Bytes of a fresh signing secret.
const SECRET: usize = 64;
/// Random bytes of a fresh key id.
const KEY_ID: usize = 6;

/// An app with its first signing key.
pub struct NewApp {
    /// App id.
    pub id: String,
    /// `<kid>.<base64url secret>`.
    pub signing_key: Zeroizing<String>,
}

impl NewApp {
    /// With a random key.
    ///
    /// # Errors
    /// Where the system gives no random bytes.
    pub fn generate(id: String) -> Result<Self, getrandom::Error> {
        let mut key_id = [0; KEY_ID];
        getrandom::fill(&mut key_id)?;
        let mut secret = Zeroizing::new([0; SECRET]);
        getrandom::fill(&mut *secret)?;
        let secret = Zeroizing::new(encode_base64url(*secret));
        // Hexadecimal, so that it never looks like an option of a command.
        let key_id: String = key_id.iter().map(|byte| format!("{byte:02x}")).collect();
        let signing_key = Zeroizing::new(format!("{key_id}.{}", *secret));
        Ok(Self { id, signing_key })
    }
}

/// The text of a configuration file; a local one allows the pages of `forge tunnel`.
#[must_use]
pub fn template(app: &NewApp, listen: SocketAddr, local: bool) -> Zeroizing<String> {
    let trusted_proxies = match listen.ip() {
        ip if ip.is_loopback() => format!("trusted_proxies = [{}]", quoted(&ip.to_string())),
        _ => "# trusted_proxies = [\"10.0.0.7\"]".to_owned(),
    };
    let allowed_origins = if local { "" } else { "# " }.to_owned() + "allowed_origins = \"forge, tunnel\"";
    Zeroizing::new(format!(
        r#"# Configuration of a Sealwire relay. Every setting can also be given as an environment variable
# (SEALWIRE_RELAY_LISTEN, …) or as a flag (--listen, …).

listen = {listen}
# Any address but a loopback one is refused until somebody ends TLS: the relay itself,
# tls_certificate = "fullchain.pem"
# tls_key = "privkey.pem"
# or a proxy in front of it:
# proxy_terminates_tls = true
# Only what these say of the client is believed.
{trusted_proxies}
# The pages that may use the relay: forge alone by default, tunnel for those of `forge tunnel`.
{allowed_origins}

# How far back a client can resume (at most 2m), and how much may be kept for that.
replay_window = "2m"
replay_bytes = "256MiB"
# How much may wait for one client before it is disconnected and has to resume.
queue_bytes = "1MiB"
heartbeat = "25s"
hello_timeout = "10s"
max_connections = 100000
# Metrics for Prometheus, and /readyz, for this machine alone.
# admin_listen = "127.0.0.1:7441"
log = "info"
log_format = "text"

[[app]]
id = {id}
# "<kid>.<secret>" each. Add the next key here before the app signs with it; remove the old one a day later.
signing_keys = [{signing_key}]
"#,
        listen = quoted(&listen.to_string()),
        id = quoted(&app.id),
        signing_key = quoted(&app.signing_key),
    ))
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
