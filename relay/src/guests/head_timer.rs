//! The time of an HTTP connection until the head of its next request is complete. hyper starts it at the beginning of the
//! connection and after each answer.

use super::Guest;
use hyper::rt::{Sleep, Timer};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

/// Gives the head of a request `head_timeout`, from the beginning of the connection or from the first byte after an answer.
/// Between two requests, the connection may stay open for `keep_alive`: a load balancer that closes its idle connections
/// earlier never sends a request to one that the relay has closed.
pub(crate) struct HeadTimer {
    guest: Arc<Guest>,
    head_timeout: Duration,
    keep_alive: Duration,
}

impl HeadTimer {
    pub(crate) fn new(guest: Arc<Guest>, head_timeout: Duration, keep_alive: Duration) -> Self {
        Self { guest, head_timeout, keep_alive }
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let idle = self.guest.is_between_requests().then(|| self.guest.clone());
        let until = match &idle {
            Some(_) => tokio::time::Instant::now() + self.keep_alive,
            None => deadline.into(),
        };
        let sleep = Box::pin(tokio::time::sleep_until(until));
        Box::pin(HeadSleep { idle, head_timeout: self.head_timeout, sleep })
    }
}

struct HeadSleep {
    /// Present while nothing has come of the next request.
    idle: Option<Arc<Guest>>,
    head_timeout: Duration,
    sleep: Pin<Box<tokio::time::Sleep>>,
}

impl Future for HeadSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.idle.as_ref().is_some_and(|guest| !guest.is_between_requests()) {
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
        let guest = super::super::guest(&Arc::new(Memory::new(1 << 30)));
        HeadTimer::new(guest, HEAD, Settings::default().keep_alive_timeout)
    }

    fn started(timer: &HeadTimer) -> Pin<Box<dyn Sleep>> {
        timer.sleep_until(tokio::time::Instant::now().into_std() + HEAD)
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_between_two_requests_outlives_the_idle_time_of_a_load_balancer() {
        let timer = timer();
        timer.guest.answered();
        let mut sleep = started(&timer);
        advance(Duration::from_secs(121)).await;
        assert!(sleep.as_mut().now_or_never().is_none());
        advance(Duration::from_secs(10)).await;
        assert!(sleep.as_mut().now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_has_begun_and_a_connection_without_a_request_have_little_time() {
        let timer = timer();
        let mut first = started(&timer);
        advance(HEAD + Duration::from_millis(1)).await;
        assert!(first.as_mut().now_or_never().is_some());

        timer.guest.answered();
        let mut next = started(&timer);
        advance(Duration::from_secs(60)).await;
        timer.guest.read(1).unwrap();
        assert!(next.as_mut().now_or_never().is_none());
        advance(HEAD + Duration::from_millis(1)).await;
        assert!(next.as_mut().now_or_never().is_some());
    }
}
