//! `sealwire-relay init`: a configuration with a fresh app, and what belongs to it on Forge's side.

use super::{DEFAULT_PATH, print};
use clap::Args;
use sealwire_protocol::limits;
use sealwire_relay::{NewApp, template};
use std::{
    error::Error,
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
};

#[derive(Args)]
pub(super) struct Init {
    /// The app's id, as its resolver will name it; the id in manifest.yml is a good one.
    #[arg(long, value_name = "ID")]
    app: String,
    /// The file to write; it must not exist.
    #[arg(long, env = "SEALWIRE_RELAY_CONFIG", value_name = "FILE", default_value = DEFAULT_PATH)]
    config: PathBuf,
    /// Where the relay will listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7440")]
    listen: std::net::SocketAddr,
    /// The host name under which browsers and Forge will reach the relay.
    #[arg(long, value_name = "HOST", default_value = "relay.example.com")]
    host: String,
}

impl Init {
    pub(super) fn execute(self) -> Result<(), Box<dyn Error>> {
        let Self { app, config, listen, host } = self;
        if !(1..=limits::MAX_APP).contains(&app.len()) {
            return Err(format!("--app: an app's id has 1 to {} bytes", limits::MAX_APP).into());
        }
        let app = NewApp::generate(app)?;
        let text = template(&app, listen);
        // Its owner's alone, and never somebody's existing keys overwritten.
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&config).map_err(|error| {
                let hint = match error.kind() {
                    io::ErrorKind::AlreadyExists => "; it is kept as it is, name another one with --config",
                    _ => "",
                };
                format!("cannot write {}: {error}{hint}", config.display())
            })?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        print::result(&format!(
            "Wrote {path} with the app '{app}' and a fresh signing key. Start the relay with

    sealwire-relay run --config {path}

Give the Forge app its side of it:

    forge variables set --encrypt SEALWIRE_SIGNING_KEY {key}
    forge variables set SEALWIRE_APP {quoted_app}
    forge variables set SEALWIRE_URL wss://{host}

and allow it to reach the relay, in manifest.yml:

    permissions:
      external:
        fetch:
          client:
            - 'wss://{host}'
            - 'https://{host}'
          backend:
            - 'https://{host}'
",
            path = config.display(),
            app = app.id,
            key = *app.signing_key,
            quoted_app = shell_quoted(&app.id),
        ))?;
        Ok(())
    }
}

/// One word for a shell.
fn shell_quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@".contains(&byte);
    if text.bytes().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
