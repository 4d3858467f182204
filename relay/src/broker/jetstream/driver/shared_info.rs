//! The state of the stream for many readers at once: thousands of channels are joined after a relay died, and each join
//! ends with the state of the stream.

use super::{super::follower::StreamInfo, ApiError, StreamApi};
use crate::critical_task;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;

/// Shares answers of the leader. An answer serves the callers that asked before its request was sent.
#[derive(Clone)]
pub(super) struct SharedInfo {
    api: StreamApi,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    callers: Vec<oneshot::Sender<Result<StreamInfo, String>>>,
    /// True while a task sends requests.
    is_served: bool,
}

impl SharedInfo {
    pub(super) fn new(api: StreamApi) -> Self {
        Self { api, waiting: Arc::default() }
    }

    /// Returns the state of the stream at some time after this call.
    pub(super) async fn get(&self) -> Result<StreamInfo, ApiError> {
        let (sender, answer) = oneshot::channel();
        let must_serve = {
            let mut waiting = critical_task::unpoisoned(self.waiting.lock());
            waiting.callers.push(sender);
            !std::mem::replace(&mut waiting.is_served, true)
        };
        if must_serve {
            tokio::spawn(self.clone().serve());
        }
        let answer = answer.await.unwrap_or_else(|_| Err("the relay is shutting down".to_owned()));
        answer.map_err(ApiError::Unavailable)
    }

    async fn serve(self) {
        loop {
            let callers = {
                let mut waiting = critical_task::unpoisoned(self.waiting.lock());
                waiting.is_served = !waiting.callers.is_empty();
                std::mem::take(&mut waiting.callers)
            };
            if callers.is_empty() {
                return;
            }
            let answer = self.api.info().await.map_err(|error| error.to_string());
            for caller in callers {
                // A caller that is gone does not need the answer.
                let _ = caller.send(answer.clone());
            }
        }
    }
}
