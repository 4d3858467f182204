//! `sealwire-relay init`: writes a configuration with a new app, and prints the settings of the Forge app that match it. On a
//! terminal and without arguments, it asks for them.

mod questions;

use super::{DEFAULT_PATH, app_side, print, private_file};
use clap::Args;
use questions::Answers;
use sealwire_protocol::limits;
use sealwire_relay::{NewApp, template};
use std::{
    env,
    error::Error,
    io::{self, IsTerminal as _},
    net::SocketAddr,
    path::{Path, PathBuf},
};

const DEFAULT_APP: &str = "my-app";
const DEFAULT_LISTEN: &str = "127.0.0.1:7440";

#[derive(Args)]
pub(super) struct Init {
    /// The app's id, which its resolver sends; use the id in manifest.yml.
    #[arg(long, value_name = "ID")]
    app: Option<String>,
    /// The file to write; it must not exist.
    #[arg(long, env = "SEALWIRE_RELAY_CONFIG", value_name = "FILE", default_value = DEFAULT_PATH)]
    config: PathBuf,
    /// The address on which the relay will listen.
    #[arg(long, value_name = "ADDRESS", default_value = DEFAULT_LISTEN)]
    listen: SocketAddr,
    /// The host name under which browsers and Forge will reach the relay.
    #[arg(long, value_name = "HOST", default_value = "relay.example.com")]
    host: String,
    /// Prepare for development with `forge tunnel`: print shell variables instead, and allow the pages of the tunnel.
    #[arg(long)]
    local: bool,
    /// Ask nothing, and use the app id my-app if --app is missing. Without any argument, init asks on a terminal.
    #[arg(long)]
    yes: bool,
}

impl Init {
    pub(super) fn execute(self) -> Result<(), Box<dyn Error>> {
        let asks = is_without_arguments() && io::stdin().is_terminal() && io::stderr().is_terminal();
        let Self { app, config, listen, host, local, yes } = self;
        if config.exists() {
            return Err(cannot_write(&config, &io::Error::from(io::ErrorKind::AlreadyExists)).into());
        }
        let answers = match app {
            None if asks => questions::ask(&mut io::stdin().lock(), &mut io::stderr())?,
            None if yes => Answers { app: DEFAULT_APP.to_owned(), listen, host: host_unless(local, host) },
            None => {
                let problem = "--app is missing: name the app, or add --yes to call it my-app. On a terminal, `init` without \
                               arguments asks";
                return Err(problem.into());
            }
            Some(app) => Answers { app, listen, host: host_unless(local, host) },
        };
        write(&config, answers)
    }
}

fn host_unless(local: bool, host: String) -> Option<String> {
    (!local).then_some(host)
}

/// True if the command line has nothing but the name of this command. Variables are no arguments.
fn is_without_arguments() -> bool {
    env::args_os().count() <= 2
}

/// Writes the configuration, and prints the app's side.
fn write(config: &Path, answers: Answers) -> Result<(), Box<dyn Error>> {
    let Answers { app, listen, host } = answers;
    check_app(&app).map_err(|problem| format!("--app: {problem}"))?;
    let app = NewApp::generate(app)?;
    private_file::create(config, &template(&app, listen, host.is_none()))
        .map_err(|error| cannot_write(config, &error))?;
    let side = match &host {
        None => app_side::local(&app, listen),
        Some(host) => app_side::deployed(&app, host),
    };
    print::result(&format!(
        "Wrote {path} with the app '{app}' and a new signing key. Start the relay with

    sealwire-relay run{config}

{side}",
        path = config.display(),
        app = app.id,
        config = config_flag(config),
        side = *side,
    ))?;
    Ok(())
}

/// Checks the length of an app's id.
pub(super) fn check_app(app: &str) -> Result<(), String> {
    let is_valid = (1..=limits::MAX_APP).contains(&app.len());
    is_valid.then_some(()).ok_or_else(|| format!("an app's id must have 1 to {} bytes", limits::MAX_APP))
}

fn cannot_write(path: &Path, error: &io::Error) -> String {
    let hint = match error.kind() {
        io::ErrorKind::AlreadyExists => "; name another file with --config",
        _ => "",
    };
    format!("cannot write {}: {error}{hint}", path.display())
}

/// The flag of `run` for this file; empty for the default file.
fn config_flag(config: &Path) -> String {
    if config == Path::new(DEFAULT_PATH) { String::new() } else { format!(" --config {}", config.display()) }
}
