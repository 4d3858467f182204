//! The relay as a separate process.

use super::{App, Certificate};
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};
use tempfile::TempDir;

pub fn relay_command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealwire-relay"));
    command.env_clear();
    command
}

/// Flags for tests in which one account on one address acts for thousands.
pub const CROWD: [&str; 8] = [
    "--max-connections-per-address",
    "1000000",
    "--max-sessions-per-account",
    "1000000",
    "--publish-rate",
    "1000000",
    "--publish-burst",
    "1000000",
];

/// Serialises the tests that open thousands of connections, since the number of open files of the process is limited.
pub static CROWD_TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Returns a configuration with the files of [`Certificate::write`], the app [`App::one`] and further settings.
pub fn tls_config(settings: &str) -> String {
    let app = App::one();
    format!(
        "listen = \"127.0.0.1:0\"\ntls_certificate = \"chain.pem\"\ntls_key = \"key.pem\"\n{settings}\n\
         [[app]]\nid = \"{}\"\nsigning_keys = [\"{}\"]\n",
        app.id, app.key_text
    )
}

/// A running relay, which is killed when the value is dropped.
pub struct RelayProcess {
    /// The endpoint that the relay printed.
    pub endpoint: String,
    /// The address of the endpoint, or 0.0.0.0:0 for a Unix domain socket.
    pub address: SocketAddr,
    /// The address of the listener for operators.
    admin: Option<SocketAddr>,
    pub child: Child,
    log: Arc<Mutex<String>>,
    directory: TempDir,
}

impl RelayProcess {
    /// Starts a relay with the app [`App::one`].
    pub fn start(flags: &[&str]) -> Self {
        Self::start_for(&[App::one()], flags)
    }

    pub fn start_for(apps: &[App], flags: &[&str]) -> Self {
        let tables: String = apps
            .iter()
            .map(|app| format!("[[app]]\nid = \"{}\"\nsigning_keys = [\"{}\"]\n", app.id, app.key_text))
            .collect();
        Self::start_in(tempfile::tempdir().unwrap(), &format!("listen = \"127.0.0.1:0\"\n{tables}"), flags)
    }

    /// Starts a relay with this configuration, which may name files in the directory.
    pub fn start_in(directory: TempDir, config: &str, flags: &[&str]) -> Self {
        Self::start_as(relay_command(), directory, config, flags)
    }

    /// Starts a relay with the app [`App::one`], this certificate and further settings.
    pub fn start_tls(certificate: &Certificate, settings: &str, flags: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        certificate.write(directory.path());
        Self::start_in(directory, &tls_config(settings), flags)
    }

    /// Starts a relay by this command, to which the arguments are added.
    pub fn start_as(command: Command, directory: TempDir, config: &str, flags: &[&str]) -> Self {
        Self::launch(command, Stdio::piped(), directory, config, flags)
    }

    /// Starts a relay with the app [`App::one`] and with this standard error, which the test does not read.
    pub fn start_logging_to(stderr: impl Into<Stdio>, flags: &[&str]) -> Self {
        let app = App::one();
        let keys = format!("[[app]]\nid = \"{}\"\nsigning_keys = [\"{}\"]\n", app.id, app.key_text);
        let config = format!("listen = \"127.0.0.1:0\"\n{keys}");
        Self::launch(relay_command(), stderr.into(), tempfile::tempdir().unwrap(), &config, flags)
    }

    fn launch(mut command: Command, stderr: Stdio, directory: TempDir, config: &str, flags: &[&str]) -> Self {
        let path = directory.path().join("relay.toml");
        fs::write(&path, config).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let mut child = command
            .arg("run")
            .arg("--config")
            .arg(&path)
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        if let Some(mut stderr) = child.stderr.take() {
            let written = log.clone();
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stderr.read(&mut buffer) {
                    written.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
                }
            });
        }
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let endpoint = line.trim().strip_prefix("listening on ");
        let endpoint = endpoint.unwrap_or_else(|| panic!("{line} {}", log.lock().unwrap())).to_owned();
        let address = endpoint.split_once("//").map_or("0.0.0.0:0", |(_, address)| address).parse().unwrap();
        let admin = flags.contains(&"--admin-listen").then(|| {
            line.clear();
            stdout.read_line(&mut line).unwrap();
            let address = line.trim().strip_prefix("operators: http://").unwrap();
            address.strip_suffix("/metrics").unwrap().parse().unwrap()
        });
        Self { endpoint, address, admin, child, log, directory }
    }

    /// Returns the address of the listener for operators. The relay must have been started with `--admin-listen`.
    pub fn admin(&self) -> SocketAddr {
        self.admin.expect("the relay was started without --admin-listen")
    }

    /// Returns the directory with the configuration and the files that it names.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the log so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Returns the log once it contains `text`.
    pub async fn log_with(&self, text: &str) -> String {
        for _ in 0..200 {
            if self.log().contains(text) {
                return self.log();
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the log has no {text}:\n{}", self.log());
    }

    /// Returns the part of the log after this number of bytes, once it contains `text`. Waits longer than a watched
    /// directory takes to be read.
    pub async fn log_after(&self, start: usize, text: &str) -> String {
        for _ in 0..1500 {
            let log = self.log()[start..].to_owned();
            if log.contains(text) && log.ends_with('\n') {
                return log;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the log has no {text}:\n{}", &self.log()[start..]);
    }

    /// Replaces the configuration, reloads it and returns the log lines of the reload.
    pub async fn reload(&self, config: &str) -> String {
        fs::write(self.directory.path().join("relay.toml"), config).unwrap();
        let before = self.log().len();
        self.signal("HUP");
        for _ in 0..500 {
            let log = self.log()[before..].to_owned();
            if log.lines().any(|line| line.contains("the configuration was")) && log.ends_with('\n') {
                return log;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the relay did not log the reload:\n{}", self.log());
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for RelayProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
