//! Vital tasks and tables: tasks without which a relay would look alive and lose messages, and tables that must not
//! be half changed. A panic in one of them ends the process with status 1: clients come back to the next one and resume,
//! or are told of a gap.

use crate::output;
use futures_util::FutureExt as _;
use std::{
    panic::{self, AssertUnwindSafe},
    process,
    sync::LockResult,
};

/// Runs a task for as long as the relay runs.
pub(crate) fn spawn(name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(async move {
        if AssertUnwindSafe(task).catch_unwind().await.is_err() {
            end(name, "a task failed without which messages would be lost; the relay ends");
        }
    });
}

/// The contents of a lock, which no panic has left half changed.
pub(crate) fn sound<G>(lock: LockResult<G>) -> G {
    lock.unwrap_or_else(|_| end("table", "a panic may have left a table half changed; the relay ends"))
}

/// Ends the process, whatever becomes of the log.
fn end(what: &'static str, problem: &'static str) -> ! {
    let _ = panic::catch_unwind(|| tracing::error!(what, "{problem}"));
    output::flush_log();
    // No abort: a core dump would hold the signing keys.
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

    /// Set where a test runs once more, in a process that is to end.
    const INNER: &str = "SEALWIRE_TEST_VITAL";

    /// The status with which a test ends that runs once more with this standard error.
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
        panic!("it does not end");
    }

    fn is_inner() -> bool {
        env::var_os(INNER).is_some()
    }

    /// Logs to standard error as the program does.
    fn log_to_stderr() {
        let log = output::open_log().unwrap();
        panic::set_hook(Box::new(|info| log.write(format!("{info}\n").as_bytes())));
        (0..100_000).for_each(|_| log.write(b"nobody reads this and the next hundred thousand lines\n"));
    }

    #[tokio::test]
    async fn a_task_that_panics_ends_the_process() {
        if is_inner() {
            spawn("test", async { panic!("as it must") });
            future::pending::<()>().await;
        }
        // A test that fails has another status.
        assert_eq!(status_of("a_task_that_panics_ends_the_process", Stdio::null()), Some(1));
        spawn("test", async {});
        tokio::task::yield_now().await;
    }

    #[tokio::test]
    async fn a_task_that_panics_ends_the_process_also_where_nothing_can_be_logged() {
        if is_inner() {
            log_to_stderr();
            spawn("test", async { panic!("as it must") });
            future::pending::<()>().await;
        }
        let name = "a_task_that_panics_ends_the_process_also_where_nothing_can_be_logged";
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert_eq!(status_of(name, full.into()), Some(1));
        let (reader, gone) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(status_of(name, gone.into()), Some(1));
        let (_reader, stalled) = std::io::pipe().unwrap();
        assert_eq!(status_of(name, stalled.into()), Some(1));
    }

    #[test]
    fn a_table_that_a_panic_may_have_left_half_changed_ends_the_process() {
        let table = Arc::new(Mutex::new(0));
        *sound(table.lock()) += 1;
        if is_inner() {
            let held = table.clone();
            let panicked = thread::spawn(move || {
                let _guard = sound(held.lock());
                panic!("while it holds the lock");
            });
            assert!(panicked.join().is_err());
            let value = *sound(table.lock());
            unreachable!("nobody may see {value}");
        }
        let name = "a_table_that_a_panic_may_have_left_half_changed_ends_the_process";
        assert_eq!(status_of(name, Stdio::null()), Some(1));
    }
}
