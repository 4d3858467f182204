//! Tasks without which a relay would look alive and lose messages. One that panics takes the process with it: clients come
//! back to the next one and resume, or are told of a gap.

use futures_util::FutureExt as _;
use std::{panic::AssertUnwindSafe, process};

/// Runs a task for as long as the relay runs.
pub(crate) fn spawn(name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(async move {
        if AssertUnwindSafe(task).catch_unwind().await.is_err() {
            tracing::error!(
                task = name,
                "a task failed without which messages would be lost; the relay ends"
            );
            // No abort: a core dump would hold the signing keys.
            process::exit(1);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, future, process::Command};

    /// Set where the test runs once more, in a process that is to end.
    const INNER: &str = "SEALWIRE_TEST_VITAL";

    #[tokio::test]
    async fn a_task_that_panics_ends_the_process() {
        if env::var_os(INNER).is_some() {
            spawn("test", async { panic!("as it must") });
            future::pending::<()>().await;
        }
        let name = "vital::tests::a_task_that_panics_ends_the_process";
        let again =
            Command::new(env::current_exe().unwrap()).args(["--exact", name]).env(INNER, "1").output();
        // A test that fails has another status.
        assert_eq!(again.unwrap().status.code(), Some(1));
        spawn("test", async {});
        tokio::task::yield_now().await;
    }
}
