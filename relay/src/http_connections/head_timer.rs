//! The timer for the head of a request. hyper starts it at the beginning of a connection and after each response.

use super::HttpConnection;
use hyper::rt::{Sleep, Timer};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

/// Limits the time for the head of a request to `head_timeout`, from the beginning of the connection or from the first
/// byte after a response. Between two requests, the connection may stay open for `keep_alive`: a load balancer that
/// closes idle connections earlier never sends a request on one that the relay has closed.
pub(crate) struct HeadTimer {
    connection: Arc<HttpConnection>,
    head_timeout: Duration,
    keep_alive: Duration,
}

impl HeadTimer {
    pub(crate) fn new(connection: Arc<HttpConnection>, head_timeout: Duration, keep_alive: Duration) -> Self {
        Self { connection, head_timeout, keep_alive }
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let idle = self.connection.is_between_requests().then(|| self.connection.clone());
        let until = match &idle {
            Some(_) => tokio::time::Instant::now() + self.keep_alive,
            None => deadline.into(),
        };
        let sleep = Box::pin(tokio::time::sleep_until(until));
        Box::pin(HeadSleep { idle, head_timeout: self.head_timeout, sleep })
    }
}

struct HeadSleep {
    /// Present until the first byte of the next request.
    idle: Option<Arc<HttpConnection>>,
    head_timeout: Duration,
    sleep: Pin<Box<tokio::time::Sleep>>,
}

impl Future for HeadSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.idle.as_ref().is_some_and(|connection| !connection.is_between_requests()) {
            self.idle = None;
            let end = tokio::time::Instant::now() + self.head_timeout;
            self.sleep.as_mut().reset(end);
        }
        self.sleep.as_mut().poll(context)
    }
}

impl Sleep for HeadSleep {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;
    use crate::settings::Settings;
    use futures_util::FutureExt as _;
    use tokio::time::advance;

    const HEAD: Duration = Duration::from_secs(10);

    fn timer() -> HeadTimer {
        let connection = super::super::test_connection(&Arc::new(Memory::new(1 << 30)));
        HeadTimer::new(connection, HEAD, Settings::default().keep_alive_timeout)
    }

    fn started(timer: &HeadTimer) -> Pin<Box<dyn Sleep>> {
        timer.sleep_until(tokio::time::Instant::now().into_std() + HEAD)
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_between_requests_outlives_the_idle_timeout_of_a_load_balancer() {
        let timer = timer();
        timer.connection.answered();
        let mut sleep = started(&timer);
        advance(Duration::from_secs(121)).await;
        assert!(sleep.as_mut().now_or_never().is_none());
        advance(Duration::from_secs(10)).await;
        assert!(sleep.as_mut().now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_started_head_and_a_new_connection_have_the_head_timeout() {
        let timer = timer();
        let mut first = started(&timer);
        advance(HEAD + Duration::from_millis(1)).await;
        assert!(first.as_mut().now_or_never().is_some());

        timer.connection.answered();
        let mut next = started(&timer);
        advance(Duration::from_secs(60)).await;
        timer.connection.count_read(1).unwrap();
        assert!(next.as_mut().now_or_never().is_none());
        advance(HEAD + Duration::from_millis(1)).await;
        assert!(next.as_mut().now_or_never().is_some());
    }
}
