//! Threads that compute without a pause, as other programs on the machine.

use std::{
    hint,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// Running loops, which end when the value is dropped.
pub(crate) struct BusyLoops {
    is_ended: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl BusyLoops {
    /// Starts loops at normal priority.
    pub(crate) fn start(count: usize) -> Self {
        let is_ended = Arc::new(AtomicBool::new(false));
        let threads = (0..count).map(|_| {
            let is_ended = is_ended.clone();
            thread::spawn(move || {
                while !is_ended.load(Ordering::Relaxed) {
                    hint::spin_loop();
                }
            })
        });
        let threads = threads.collect();
        Self { is_ended, threads }
    }
}

impl Drop for BusyLoops {
    fn drop(&mut self) {
        self.is_ended.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
