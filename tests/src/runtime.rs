//! The runtime of the support's own tasks, which run beside blocking tests.

use std::sync::LazyLock;
use tokio::runtime::{Builder, Runtime};

/// Returns the runtime, which lives as long as the process.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("test-support")
            .enable_all()
            .build()
            .expect("the system has threads")
    });
    &RUNTIME
}
