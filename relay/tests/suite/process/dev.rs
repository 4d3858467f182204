//! The command `dev`: its folder, its variables and its log.

use crate::support::{App, Client, Terminal, Watchdog, batch, channel, now, post, relay_command, request};
use sealwire_protocol::{
    Code,
    tokens::{self, Permissions, SigningKey},
    wire::{Channel, Since},
};
use std::{
    fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio},
};
use tempfile::TempDir;

/// A relay of `dev` on a free port, which is killed when the value is dropped.
struct Dev {
    watchdog: Option<Watchdog>,
    child: Child,
    address: SocketAddr,
    lines: BufReader<ChildStdout>,
    /// The lines until the log begins.
    introduction: String,
}

impl Dev {
    fn start(directory: &TempDir, flags: &[&str]) -> Self {
        let mut child =
            command(directory, flags).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let watchdog = Some(Watchdog::of(child.id()));
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let introduction = until(&mut lines, "Ctrl-C");
        let address = introduction.lines().next().unwrap().strip_prefix("listening on http://").unwrap();
        Self { watchdog, child, address: address.parse().unwrap(), lines, introduction }
    }

    /// Returns the lines of the log up to one that contains `text`.
    fn log_until(&mut self, text: &str) -> String {
        until(&mut self.lines, text)
    }

    fn end(mut self) -> (ExitStatus, String) {
        let status = Command::new("kill").arg("-INT").arg(self.child.id().to_string()).status();
        assert!(status.unwrap().success());
        let rest = until(&mut self.lines, "the relay ends");
        self.watchdog = None;
        (self.child.wait().unwrap(), rest)
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        self.watchdog = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn until(lines: &mut impl BufRead, text: &str) -> String {
    let mut read = String::new();
    while !read.contains(text) {
        assert_ne!(lines.read_line(&mut read).unwrap(), 0, "the output ended without {text}:\n{read}");
    }
    read
}

fn command(directory: &TempDir, flags: &[&str]) -> Command {
    let mut command = relay_command();
    command.arg("dev").args(flags).current_dir(directory);
    command
}

fn refused(directory: &TempDir, flags: &[&str]) -> String {
    let output: Output = command(directory, flags).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Returns the app of the variables in the folder.
fn app(directory: &TempDir) -> App {
    let variables = fs::read_to_string(directory.path().join(".sealwire/tunnel.env")).unwrap();
    let value = |name: &str| {
        let prefix = format!("export FORGE_USER_VAR_SEALWIRE_{name}=");
        variables.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap().to_owned()
    };
    let key_text = value("SIGNING_KEY");
    App { id: value("APP"), key: SigningKey::parse(&key_text).unwrap(), key_text }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

const FREE_PORT: &[&str] = &["--listen", "127.0.0.1:0"];

#[test]
fn dev_writes_a_private_folder_and_prints_the_variables_of_the_tunnel() {
    let directory = tempfile::tempdir().unwrap();
    let relay = Dev::start(&directory, &["--listen", "127.0.0.1:0", "--app", "my app"]);
    let folder = directory.path().join(".sealwire");
    let variables = fs::read_to_string(folder.join("tunnel.env")).unwrap();
    assert!(variables.contains("export FORGE_USER_VAR_SEALWIRE_APP='my app'\n"), "{variables}");
    let url = format!("export FORGE_USER_VAR_SEALWIRE_URL=ws://localhost:{}\n", relay.address.port());
    assert!(variables.contains(&url), "{variables}");
    for line in variables.lines().chain([". .sealwire/tunnel.env"]) {
        let line = format!("\n    {line}\n");
        assert!(relay.introduction.contains(&line), "{line} is not in\n{}", relay.introduction);
    }
    assert_eq!(mode(&folder), 0o700);
    assert_eq!([mode(&folder.join("dev.toml")), mode(&folder.join("tunnel.env"))], [0o600; 2]);
    // The key stays out of the app's repository.
    assert_eq!(fs::read_to_string(folder.join(".gitignore")).unwrap(), "*\n");
    // The shell reads the variables as they were meant.
    let script = ". .sealwire/tunnel.env && printf %s \"$FORGE_USER_VAR_SEALWIRE_APP\"";
    let shell = Command::new("sh").args(["-c", script]).current_dir(&directory).output().unwrap();
    assert_eq!(shell.stdout, b"my app");
    let (status, log) = relay.end();
    assert!(status.success(), "{log}");
}

#[test]
fn a_restart_keeps_the_key_and_the_settings_and_new_key_replaces_the_key_alone() {
    let directory = tempfile::tempdir().unwrap();
    Dev::start(&directory, FREE_PORT).end();
    let first = app(&directory).key_text;
    let config = directory.path().join(".sealwire/dev.toml");
    let edited = fs::read_to_string(&config).unwrap() + "# mine\n";
    fs::write(&config, &edited).unwrap();

    let relay = Dev::start(&directory, FREE_PORT);
    assert!(relay.introduction.contains("the signing key of the last start"), "{}", relay.introduction);
    relay.end();
    assert_eq!(
        (app(&directory).key_text, fs::read_to_string(&config).unwrap()),
        (first.clone(), edited.clone())
    );

    let flags = &[FREE_PORT, &["--new-key"]].concat();
    Dev::start(&directory, flags).end();
    let second = app(&directory).key_text;
    assert_ne!(first, second);
    assert_eq!(fs::read_to_string(&config).unwrap(), edited.replace(&first, &second));
}

#[tokio::test]
async fn dev_shows_sessions_channels_messages_and_refusals_with_hints() {
    let directory = tempfile::tempdir().unwrap();
    let mut relay = Dev::start(&directory, FREE_PORT);
    let app = app(&directory);
    let mut ada = Client::connect(relay.address).await;
    ada.hello(app.session("ada")).await;
    ada.subscribe("absences").await;
    relay.log_until("session 1 opened: account ada, installation ari:cloud:jira::site/one");
    relay
        .log_until("channel absences (dashboard 10001, module absences): session 1 subscribed, 1 subscriber");

    // The relay numbers connections in the order in which it accepts them, so Ben connects once Ada has a session.
    let mut ben = Client::connect(relay.address).await;
    ben.hello(app.session("ben")).await;
    ben.publish("absences", "hello").await;
    assert_eq!(ada.text().await, "hello");
    relay.log_until("85 sealed bytes from session 2, to 1 subscriber");
    assert_eq!(post(relay.address, &app.backend(), &batch(1)).await.status, 200);
    relay.log_until("channel absences (dashboard 10001, module absences): 81 sealed bytes from a function, to 1 subscriber");
    let since = Since::ReplaySeconds(60);
    ben.subscribe_since("absences", Some(since)).await;
    relay.log_until("session 2 subscribed, 2 subscribers, 2 earlier messages follow");
    for _ in 0..2 {
        ben.publication().await;
    }

    let unknown = Channel { properties: vec!["board".into()], ..channel("absences") };
    assert_eq!(ben.refused_subscribe(unknown).await.code, Code::ScopeRefused.number());
    relay.log_until("SCOPE_REFUSED of account ben refused (subscribe)");
    relay.log_until("hint: the session lacks a property of contextOverrides");
    let stranger = App::new(&app.id, "other", 9).session("eve");
    Client::connect(relay.address).await.refused_hello(stranger, Code::TokenUnknownKey).await;
    relay.log_until("TOKEN_UNKNOWN_KEY of a client at 127.0.0.1 refused (hello)");
    relay.log_until("hint: the app signs with another key");
    let origin = "origin: https://elsewhere.example\r\n";
    assert_eq!(request(relay.address, "GET", "/v1/realtime", origin, "").await.status, 403);
    relay.log_until("ORIGIN_REFUSED of a client at 127.0.0.1 refused (connect)");

    drop(ada);
    relay.log_until("session 1 ended: the client left");
    let (status, rest) = relay.end();
    assert!(status.success());
    // The end of the relay is one line, and not one for each session.
    assert!(!rest.contains("session 2"), "{rest}");
    assert!(!rest.contains('\u{1b}'), "a pipe gets no colours");
}

#[tokio::test]
async fn dev_shows_members_that_enter_break_off_return_and_leave_and_refusals_of_presence() {
    let directory = tempfile::tempdir().unwrap();
    let mut relay = Dev::start(&directory, FREE_PORT);
    let app = app(&directory);
    let mut ada = Client::connect(relay.address).await;
    ada.hello(app.session("ada")).await;
    let id = ada.enter("absences", 1, 1).await;
    let presence = "presence absences (dashboard 10001, module absences): ";
    relay.log_until(&format!("{presence}session 1 entered with 60 sealed bytes, 1 member\n"));
    ada.enter("absences", 1, 2).await;
    relay.log_until(&format!("{presence}session 1 updated its entry, 60 sealed bytes, 1 member\n"));

    let mut ben = Client::connect(relay.address).await;
    ben.hello(app.session("ben")).await;
    ben.refused_enter(channel("absences"), 1, 3, 60, Code::MemberConflict).await;
    relay.log_until("MEMBER_CONFLICT of account ben refused (presence)");
    relay.log_until("hint: another account or a newer page has this member of the presence");
    let mut eve = Client::connect(relay.address).await;
    let claims = app.claims("eve", Permissions::MESSAGES, (now() - 5, now() + 600));
    eve.hello(tokens::sign(&claims, &app.key).unwrap()).await;
    eve.refused_enter(channel("absences"), 2, 1, 60, Code::PermissionMissing).await;
    relay.log_until("PERMISSION_MISSING of account eve refused (presence)");
    relay.log_until("hint: presence has its own permission");

    drop(ada);
    let broke = "the member of session 1 lost its connection, and has";
    relay.log_until(&format!("{presence}{broke} 15s to return\n"));
    let mut ada = Client::connect(relay.address).await;
    ada.hello(app.session("ada")).await;
    ada.enter("absences", 1, 2).await;
    relay.log_until(&format!("{presence}session 4 returned as the member of session 1, 1 member\n"));
    ada.try_leave(id, 1).await;
    relay.log_until(&format!("{presence}session 4 left, 0 members\n"));
    relay.end();

    let config = directory.path().join(".sealwire/dev.toml");
    let settings = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("presence_grace = \"100ms\"\n{settings}")).unwrap();
    let mut relay = Dev::start(&directory, FREE_PORT);
    let mut ada = Client::connect(relay.address).await;
    ada.hello(app.session("ada")).await;
    ada.enter("absences", 1, 1).await;
    drop(ada);
    relay.log_until(&format!("{presence}{broke} 100ms to return\n"));
    relay.log_until(&format!("{presence}the member of session 1 left after its grace time, 0 members\n"));
}

#[test]
fn dev_that_cannot_start_reports_the_reason_and_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let occupied = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = occupied.local_addr().unwrap().to_string();
    let error = refused(&directory, &["--listen", &address]);
    assert!(error.contains(&format!("{address} is in use")) && error.contains("--listen"), "{error}");
    // Variables of a relay that does not run would mislead.
    assert!(!directory.path().join(".sealwire/tunnel.env").exists());

    let config = directory.path().join(".sealwire/dev.toml");
    fs::write(&config, "listen = \"127.0.0.1:0\"\n").unwrap();
    let error = refused(&directory, &[]);
    assert!(
        error.contains("there is no [[app]] with signing_keys") && error.contains("remove the file"),
        "{error}"
    );
    fs::write(&config, "listen = \n").unwrap();
    assert!(refused(&directory, &[]).contains("dev.toml: "));
    assert!(refused(&directory, &["--app", ""]).contains("--app: an app's id must have 1 to"));
    assert!(refused(&directory, &["--folder", "/dev/null/a"]).contains("cannot write /dev/null/a"));
}

#[test]
fn the_log_has_colours_on_a_terminal_unless_no_color_is_set() {
    for (variable, is_coloured) in [("OTHER", true), ("NO_COLOR", false)] {
        let directory = tempfile::tempdir().unwrap();
        let mut command = command(&directory, FREE_PORT);
        let mut terminal = Terminal::start(command.env("TERM", "xterm").env(variable, "1"));
        terminal.shows("Ctrl-C");
        terminal.signal("INT");
        let (status, shown) = terminal.end();
        assert!(status.success() && shown.contains("the relay ends"), "{shown}");
        assert_eq!(shown.contains('\u{1b}'), is_coloured, "{shown:?}");
    }
}
