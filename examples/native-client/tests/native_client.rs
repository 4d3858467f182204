//! The program against a real relay, with a backend that answers as `realtime.session` does.
#![allow(clippy::unwrap_used)]

use sealwire_protocol::Scope;
use sealwire_tests::{FaultProxy, Installation, RelayProcess};
use serde_json::json;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio},
    sync::Arc,
    thread,
};

/// The bearer tokens of the backend's users.
const USERS: [&str; 2] = ["anna", "ben"];

/// An app's backend with its relay. A proxy stands between clients and the relay.
struct App {
    _relay: RelayProcess,
    proxy: FaultProxy,
    backend: SocketAddr,
    folder: tempfile::TempDir,
}

impl App {
    fn start() -> Self {
        let installation = Arc::new(Installation::new("notes"));
        let relay = RelayProcess::start(&[&installation], "presence_grace = \"1s\"\n");
        let proxy = FaultProxy::start(SocketAddr::from((Ipv4Addr::LOCALHOST, relay.port)));
        let relay_url = format!("ws://{}/v1/realtime", proxy.address());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let backend = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &installation, &relay_url);
            }
        });
        Self { _relay: relay, proxy, backend, folder: tempfile::tempdir().unwrap() }
    }

    /// Returns the program with the arguments of a user.
    fn client(&self, user: &str) -> Command {
        let token = self.folder.path().join(user);
        std::fs::write(&token, format!("{user}\n")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_native-client"));
        command.args(["--session", &format!("http://{}/session", self.backend), "--token-file"]).arg(token);
        command
    }

    fn send(&self, user: &str, payload: &str) -> Output {
        self.client(user).args(["send", "notes", payload]).output().unwrap()
    }
}

/// Answers one request for a session.
fn answer(mut stream: TcpStream, installation: &Installation, relay_url: &str) {
    let mut head = String::new();
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    while !head.ends_with("\r\n\r\n") && lines.read_line(&mut head).unwrap() > 0 {}
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    lines.read_exact(&mut body).unwrap();
    let request: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let user = USERS.iter().find(|user| head.contains(&format!("authorization: Bearer {user}\r\n")));
    let (status, body) = match user {
        Some(user) if head.starts_with("POST /session ") && request == json!({ "reason": "connect" }) => {
            let mut context = Scope::default();
            context.insert("project", "kitchen").unwrap();
            let grant = installation.grant(user, &context, relay_url, 60);
            ("200 OK", serde_json::to_string(&grant).unwrap())
        }
        _ => ("403 Forbidden", String::new()),
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
        .unwrap();
}

/// A running `listen` or `presence`.
struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
    notices: BufReader<ChildStderr>,
}

impl Running {
    fn start(app: &App, user: &str, arguments: &[&str]) -> Self {
        let mut command = app.client(user);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let notices = BufReader::new(child.stderr.take().unwrap());
        Self { child, lines, notices }
    }

    /// Reads lines until one has this text.
    fn must_print(&mut self, expected: &str) {
        loop {
            let line = line(&mut self.lines);
            assert_ne!(line, "", "the program ended without printing {expected}");
            if line.trim_end() == expected {
                return;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The program may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line(from: &mut impl std::io::BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line
}

#[test]
fn messages_of_another_user_arrive_once_and_in_order_across_a_cut() {
    let app = App::start();
    assert!(app.send("ben", r#"{"note":0}"#).status.success());
    let mut listener = Running::start(&app, "anna", &["listen", "notes", "--replay", "60"]);
    assert_eq!(line(&mut listener.notices), "subscribed\n");
    for note in 1..4 {
        let output = app.send("ben", &format!(r#"{{"note":{note}}}"#));
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("published as message {}\n", note + 1));
        // The client comes back by itself, and receives what it missed.
        app.proxy.cut();
    }
    for note in 0..4 {
        assert_eq!(line(&mut listener.lines), format!("{{\"note\":{note}}}\n"));
    }
    listener.child.kill().unwrap();
    let mut rest = String::new();
    listener.lines.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "a message arrived twice");
}

#[test]
fn members_are_shown_until_they_leave_or_their_program_is_killed() {
    const NOBODY: &str = "[]";
    const ANNA: &str =
        r#"[{"claimedAccountId":"anna","data":{"name":"Anna"},"inGrace":false,"isSelf":false}]"#;
    let app = App::start();
    let mut ben = Running::start(&app, "ben", &["presence", "notes"]);
    assert_eq!(line(&mut ben.lines).trim_end(), NOBODY);
    let enter = ["presence", "notes", "--enter", r#"{"name":"Anna"}"#];
    let mut anna = Running::start(&app, "anna", &enter);
    anna.must_print(&ANNA.replace(r#""isSelf":false"#, r#""isSelf":true"#));
    assert_eq!(line(&mut ben.lines).trim_end(), ANNA);
    let interrupt = Command::new("kill").args(["-INT", &anna.child.id().to_string()]).status();
    assert!(interrupt.unwrap().success());
    assert_eq!(line(&mut anna.notices), "left\n");
    assert!(anna.child.wait().unwrap().success());
    assert_eq!(line(&mut ben.lines).trim_end(), NOBODY);

    let mut anna = Running::start(&app, "anna", &enter);
    assert_eq!(line(&mut ben.lines).trim_end(), ANNA);
    anna.child.kill().unwrap();
    assert_eq!(line(&mut ben.lines).trim_end(), NOBODY);
}

#[test]
fn a_user_without_access_is_told_the_reason_once() {
    let app = App::start();
    let output = app.send("mallory", "1");
    let problem = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(problem.starts_with("error: PERMISSION_MISSING: the backend refuses a session"), "{problem}");
}

#[test]
fn a_payload_that_is_not_json_is_refused_with_an_example() {
    let output = App::start().send("anna", "hello");
    let problem = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(problem.contains("the payload is not JSON") && problem.contains("write a text as"), "{problem}");
}
