//! The relay's binary, run as a separate process.

use crate::{
    Installation,
    hosts::{Host, SWITCH},
};
use std::{
    fmt::Write as _,
    fs::Permissions,
    io::{BufRead as _, BufReader},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

/// The system calls that strace records: all that name or create a file.
pub const TRACED_CALLS: &str = "trace=%file,memfd_create,ftruncate,fallocate,io_uring_setup";

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A running relay; dropping it kills the process.
pub struct RelayProcess {
    id: u32,
    child: Mutex<Child>,
    /// The address of its listener.
    pub address: SocketAddr,
    /// The port of [`Self::address`].
    pub port: u16,
    log: Arc<Mutex<String>>,
    /// The read end of a log that nothing reads.
    unread: Mutex<Option<ChildStderr>>,
    _config: tempfile::TempDir,
}

/// The destination of the relay's log.
enum Log {
    /// The standard error of the tests.
    Inherited,
    /// [`RelayProcess::log`].
    Captured,
    /// A pipe that stays open and is never read.
    Unread,
}

impl RelayProcess {
    /// Starts a relay for the apps of these installations; `settings` are further lines of its configuration.
    ///
    /// # Panics
    /// If the relay does not build or start.
    #[must_use]
    pub fn start(installations: &[&Installation], settings: &str) -> Self {
        Self::spawn(Command::new(relay_binary()), LOOPBACK, installations, settings, Log::Inherited)
    }

    /// Starts a relay whose log is kept for [`Self::log`].
    ///
    /// # Panics
    /// If the relay does not build or start.
    #[must_use]
    pub fn start_logged(installations: &[&Installation], settings: &str) -> Self {
        Self::spawn(Command::new(relay_binary()), LOOPBACK, installations, settings, Log::Captured)
    }

    /// Starts a relay on a host, behind a proxy on the host's network. Its log is kept for [`Self::log`].
    ///
    /// # Panics
    /// If the relay does not build or start.
    #[must_use]
    pub fn start_on(host: &Host, installations: &[&Installation], settings: &str) -> Self {
        let settings = format!("proxy_terminates_tls = true\ntrusted_proxies = \"{SWITCH}\"\n{settings}");
        Self::spawn(host.command(relay_binary()), host.address(), installations, &settings, Log::Captured)
    }

    /// Starts a relay whose log goes to a pipe that nothing reads, so that the pipe fills up. [`Self::close_log`]
    /// closes it.
    ///
    /// # Panics
    /// If the relay does not build or start.
    #[must_use]
    pub fn start_unread(installations: &[&Installation], settings: &str) -> Self {
        Self::spawn(Command::new(relay_binary()), LOOPBACK, installations, settings, Log::Unread)
    }

    /// Starts a relay under strace, which writes every system call that names a file to `trace` (Linux).
    ///
    /// # Panics
    /// If the relay or strace does not start.
    #[must_use]
    pub fn start_traced(installations: &[&Installation], settings: &str, trace: &Path) -> Self {
        let mut strace = Command::new("strace");
        // `-D` runs the tracer as a detached process, so that the child is the relay itself.
        strace.args(["-D", "-f", "-q", "-e", TRACED_CALLS, "-o"]);
        strace.arg(trace).arg(relay_binary());
        Self::spawn(strace, LOOPBACK, installations, settings, Log::Captured)
    }

    fn spawn(
        mut program: Command,
        listen: IpAddr,
        installations: &[&Installation],
        settings: &str,
        log_kind: Log,
    ) -> Self {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let mut config = format!("listen = \"{listen}:0\"\n{settings}\n");
        for Installation { app, signing_key, .. } in installations {
            let _ = write!(config, "[[app]]\nid = \"{app}\"\nsigning_keys = [\"{signing_key}\"]\n");
        }
        let path = folder.path().join("relay.toml");
        std::fs::write(&path, config).expect("the temporary folder takes files");
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("the file is ours");
        let mut child = program
            .args(["run", "--config"])
            .arg(&path)
            .stdout(Stdio::piped())
            .stderr(if matches!(log_kind, Log::Inherited) { Stdio::inherit() } else { Stdio::piped() })
            .spawn()
            .unwrap_or_else(|error| panic!("{:?} does not start: {error}", program.get_program()));
        let log = Arc::new(Mutex::new(String::new()));
        let mut unread = child.stderr.take();
        if matches!(log_kind, Log::Captured)
            && let Some(stderr) = unread.take()
        {
            let log = log.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                    log.push_str(&line);
                    log.push('\n');
                }
            });
        }
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let address: SocketAddr = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("listening on http://")?.1.trim().parse().ok())
            .expect("the relay prints its address");
        // This thread drains the pipe, so that the relay never blocks on it.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self {
            id: child.id(),
            child: child.into(),
            address,
            port: address.port(),
            log,
            unread: unread.into(),
            _config: folder,
        }
    }

    /// Returns the log so far. It is empty unless the log is captured.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the resident memory of the process in bytes (Linux).
    ///
    /// # Panics
    /// If the system has no /proc.
    #[must_use]
    pub fn memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("there is /proc");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the status has VmRSS");
        line.trim().trim_end_matches(" kB").parse::<usize>().expect("it is a number") * 1024
    }

    /// Closes the pipe of a log that nothing reads, so that writing to it fails.
    pub fn close_log(&self) {
        *self.unread.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Sends a signal, such as `TERM`.
    ///
    /// # Panics
    /// If the process has ended.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status();
        assert!(status.is_ok_and(|status| status.success()), "the signal {name} was not sent");
    }

    /// Waits for the process to end and returns its status; `None` if it still runs after `timeout`.
    ///
    /// # Panics
    /// If the system cannot report the status.
    pub fn end_within(&self, timeout: Duration) -> Option<ExitStatus> {
        let start = Instant::now();
        loop {
            match self.child().try_wait().expect("the process is a child") {
                None if start.elapsed() < timeout => std::thread::sleep(Duration::from_millis(20)),
                ended => return ended,
            }
        }
    }

    /// Returns the process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RelayProcess {
    fn drop(&mut self) {
        let mut child = self.child();
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Returns the path of the relay's binary: `SEALWIRE_TEST_RELAY`, or a build of the package alone, without features
/// that other packages of the workspace enable.
///
/// # Panics
/// If the relay does not build.
#[must_use]
pub fn relay_binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(path) = std::env::var_os("SEALWIRE_TEST_RELAY") {
            return path.into();
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args([
                "build",
                "--package",
                "sealwire-relay",
                "--bin",
                "sealwire-relay",
                "--message-format",
                "json",
            ])
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo runs");
        let messages = String::from_utf8_lossy(&output.stdout);
        let path = messages
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .find_map(|message| message["executable"].as_str().map(PathBuf::from));
        path.expect("the relay builds")
    })
}
