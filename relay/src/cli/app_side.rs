//! The settings of the Forge app that match a relay: commands and manifest lines for a deployed app, variables for
//! `forge tunnel`. `init` and `dev` print them.

use sealwire_relay::NewApp;
use std::net::SocketAddr;
use zeroize::Zeroizing;

/// The Forge commands and the lines of the manifest for an app that is deployed.
pub(super) fn deployed(app: &NewApp, host: &str) -> Zeroizing<String> {
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

/// The variables of `forge tunnel`, and the lines of the manifest. The pages of a tunnel may reach the relay only under the
/// name `localhost`, and Forge does not accept it in a manifest.
pub(super) fn local(app: &NewApp, listen: SocketAddr) -> Zeroizing<String> {
    let exports = tunnel_exports(&app.id, &app.signing_key, listen);
    let exports = indented(&exports);
    Zeroizing::new(format!(
        "Configure the Forge app to match, in the shell that runs `forge tunnel`:

{exports}
and allow it in manifest.yml to store its keys; pages of a tunnel may reach localhost without an entry there:

    permissions:
      scopes:
        - storage:app
",
        exports = *exports,
    ))
}

/// The shell lines that set the variables which `forge tunnel` passes to the functions on the developer's machine.
pub(super) fn tunnel_exports(app: &str, signing_key: &str, listen: SocketAddr) -> Zeroizing<String> {
    let address =
        if listen.ip().is_loopback() { format!("localhost:{}", listen.port()) } else { listen.to_string() };
    Zeroizing::new(format!(
        "export FORGE_USER_VAR_SEALWIRE_SIGNING_KEY={signing_key}
export FORGE_USER_VAR_SEALWIRE_APP={app}
export FORGE_USER_VAR_SEALWIRE_URL=ws://{address}
",
        app = shell_quoted(app),
    ))
}

/// Indents the lines of a text, as a block of code.
pub(super) fn indented(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.lines().map(|line| format!("    {line}\n")).collect())
}

/// Quotes a text as one word for a shell.
pub(super) fn shell_quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@".contains(&byte);
    if text.bytes().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
