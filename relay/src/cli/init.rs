//! `sealwire-relay init`: writes a configuration with a new app, and prints the settings of the Forge app that match it.

use super::{DEFAULT_PATH, print};
use clap::Args;
use sealwire_protocol::limits;
use sealwire_relay::{NewApp, template};
use std::{
    error::Error,
    fs::OpenOptions,
    io::{self, Write as _},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

#[derive(Args)]
pub(super) struct Init {
    /// The app's id, which its resolver sends; use the id in manifest.yml.
    #[arg(long, value_name = "ID")]
    app: String,
    /// The file to write; it must not exist.
    #[arg(long, env = "SEALWIRE_RELAY_CONFIG", value_name = "FILE", default_value = DEFAULT_PATH)]
    config: PathBuf,
    /// The address on which the relay will listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7440")]
    listen: SocketAddr,
    /// The host name under which browsers and Forge will reach the relay.
    #[arg(long, value_name = "HOST", default_value = "relay.example.com")]
    host: String,
    /// Prepare for development with `forge tunnel`: print shell variables instead, and allow the pages of the tunnel.
    #[arg(long)]
    local: bool,
}

impl Init {
    pub(super) fn execute(self) -> Result<(), Box<dyn Error>> {
        let Self { app, config, listen, host, local } = self;
        if !(1..=limits::MAX_APP).contains(&app.len()) {
            return Err(format!("--app: an app's id must have 1 to {} bytes", limits::MAX_APP).into());
        }
        let app = NewApp::generate(app)?;
        let text = template(&app, listen, local);
        // Only the owner may read the file, and an existing file with its keys is never overwritten.
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&config).map_err(|error| {
                let hint = match error.kind() {
                    io::ErrorKind::AlreadyExists => "; name another file with --config",
                    _ => "",
                };
                format!("cannot write {}: {error}{hint}", config.display())
            })?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        let side = if local { local_side(&app, listen) } else { deployed_side(&app, &host) };
        print::result(&format!(
            "Wrote {path} with the app '{app}' and a new signing key. Start the relay with

    sealwire-relay run{config}

{side}",
            path = config.display(),
            app = app.id,
            config = config_flag(&config),
            side = *side,
        ))?;
        Ok(())
    }
}

/// The flag of `run` for this file; empty for the default file.
fn config_flag(config: &Path) -> String {
    if config == Path::new(DEFAULT_PATH) { String::new() } else { format!(" --config {}", config.display()) }
}

/// The Forge commands and the lines of the manifest for an app that is deployed.
fn deployed_side(app: &NewApp, host: &str) -> Zeroizing<String> {
    Zeroizing::new(format!(
        "Configure the Forge app to match:

    forge variables set --encrypt SEALWIRE_SIGNING_KEY {key}
    forge variables set SEALWIRE_APP {app}
    forge variables set SEALWIRE_URL wss://{host}

and allow it in manifest.yml to store its keys and to reach the relay:

    permissions:
      scopes:
        - storage:app
      external:
        fetch:
          client:
            - address: 'wss://{host}'
              inScopeEUD: true
            - address: 'https://{host}'
              inScopeEUD: true
          backend:
            - address: 'https://{host}'
              inScopeEUD: true
",
        key = *app.signing_key,
        app = shell_quoted(&app.id),
    ))
}

/// The variables that `forge tunnel` passes to the functions on the developer's machine, and the lines of the manifest. The
/// pages of a tunnel may reach the relay only under the name `localhost`, and Forge does not accept it in a manifest.
fn local_side(app: &NewApp, listen: SocketAddr) -> Zeroizing<String> {
    let address =
        if listen.ip().is_loopback() { format!("localhost:{}", listen.port()) } else { listen.to_string() };
    Zeroizing::new(format!(
        "Configure the Forge app to match, in the shell that runs `forge tunnel`:

    export FORGE_USER_VAR_SEALWIRE_SIGNING_KEY={key}
    export FORGE_USER_VAR_SEALWIRE_APP={app}
    export FORGE_USER_VAR_SEALWIRE_URL=ws://{address}

and allow it in manifest.yml to store its keys; pages of a tunnel may reach localhost without an entry there:

    permissions:
      scopes:
        - storage:app
",
        key = *app.signing_key,
        app = shell_quoted(&app.id),
    ))
}

/// Quotes a text as one word for a shell.
fn shell_quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@".contains(&byte);
    if text.bytes().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
