//! Tasks and tables whose failure must end the process: without them, a relay would look healthy and lose messages. If
//! one panics, the process exits with status 1; clients reconnect to its replacement and resume, or report a gap.

use crate::output;
use futures_util::FutureExt as _;
use std::{
    panic::{self, AssertUnwindSafe},
    process,
    sync::LockResult,
};

/// Spawns a task whose panic ends the process.
pub(crate) fn spawn(name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(async move {
        if AssertUnwindSafe(task).catch_unwind().await.is_err() {
            exit(
                name,
                "a critical task panicked; the relay exits, because it would lose messages without it",
            );
        }
    });
}

/// Returns the lock's guard. Exits the process if the lock is poisoned.
pub(crate) fn unpoisoned<G>(lock: LockResult<G>) -> G {
    lock.unwrap_or_else(|_| exit("table", "a panic may have left a table inconsistent; the relay exits"))
}

/// Exits the process, even if writing to the log fails.
fn exit(what: &'static str, problem: &'static str) -> ! {
    let _ = panic::catch_unwind(|| tracing::error!(what, "{problem}"));
    output::flush_log();
    // An abort could write a core dump, which would hold the signing keys.
    process::exit(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        env, fs, future,
        process::{Command, Stdio},
        sync::{Arc, Mutex},
        thread,
        time::{Duration, Instant},
    };

    /// The variable that is set in a child process, in which the test must end the process.
    const INNER: &str = "SEALWIRE_TEST_CRITICAL_TASK";

    /// Runs a test again in a child process with this standard error, and returns its exit status.
    fn status_of(test: &str, stderr: Stdio) -> Option<i32> {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "--nocapture", &format!("critical_task::tests::{test}")])
            .env(INNER, "1")
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            if let Some(status) = child.try_wait().unwrap() {
                return status.code();
            }
            thread::sleep(Duration::from_millis(10));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("the child process does not exit");
    }

    fn is_inner() -> bool {
        env::var_os(INNER).is_some()
    }

    /// Opens the log on standard error as the program does, and fills its queue.
    fn log_to_stderr() {
        let log = output::open_log().unwrap();
        panic::set_hook(Box::new(|info| log.write(format!("{info}\n").as_bytes())));
        (0..100_000).for_each(|_| log.write(b"one of a hundred thousand lines that are never read\n"));
    }

    #[tokio::test]
    async fn a_panicking_task_ends_the_process() {
        if is_inner() {
            spawn("test", async { panic!("as it must") });
            future::pending::<()>().await;
        }
        // A failed test exits with another status.
        assert_eq!(status_of("a_panicking_task_ends_the_process", Stdio::null()), Some(1));
        spawn("test", async {});
        tokio::task::yield_now().await;
    }

    #[tokio::test]
    async fn a_panicking_task_ends_the_process_even_if_the_log_cannot_be_written() {
        if is_inner() {
            log_to_stderr();
            spawn("test", async { panic!("as it must") });
            future::pending::<()>().await;
        }
        let name = "a_panicking_task_ends_the_process_even_if_the_log_cannot_be_written";
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert_eq!(status_of(name, full.into()), Some(1));
        let (reader, gone) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(status_of(name, gone.into()), Some(1));
        let (_reader, stalled) = std::io::pipe().unwrap();
        assert_eq!(status_of(name, stalled.into()), Some(1));
    }

    #[test]
    fn a_poisoned_table_ends_the_process() {
        let table = Arc::new(Mutex::new(0));
        *unpoisoned(table.lock()) += 1;
        if is_inner() {
            let shared = table.clone();
            let panicked = thread::spawn(move || {
                let _guard = unpoisoned(shared.lock());
                panic!("a panic while the lock is held");
            });
            assert!(panicked.join().is_err());
            let value = *unpoisoned(table.lock());
            unreachable!("the value {value} of a poisoned table was read");
        }
        let name = "a_poisoned_table_ends_the_process";
        assert_eq!(status_of(name, Stdio::null()), Some(1));
    }
}
