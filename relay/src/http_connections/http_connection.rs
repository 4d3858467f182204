//! One HTTP connection: the accounting of its memory, and the orders to close it.

use super::{HttpConnections, footprint::Protection};
use crate::{
    listener::net::{UNREAD, UNSENT},
    memory::{Holder, MemoryKind, Reservation, ShedClass},
};
use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Notify, time::timeout};

/// The bytes that are read even without memory: the relay reads a request before it refuses it.
const MIN_READ: usize = 4 * 1024;
/// The maximum bytes from a client in a TLS handshake, which usually takes about 2 KiB.
const MAX_HANDSHAKE: usize = 16 * 1024;
/// The time within which a client must read the rest of its response: that of a stream after its session has ended, and
/// that of any response during a shutdown.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
/// The time for a stream during a shutdown, which includes the end of its session.
const STREAM_CLOSE_TIMEOUT: Duration = Duration::from_secs(15);

/// An HTTP connection.
pub(crate) struct HttpConnection {
    registry: Arc<HttpConnections>,
    key: usize,
    state: Mutex<HttpState>,
    /// The current [`CloseOrder`].
    order: AtomicU8,
    order_changed: Notify,
}

struct HttpState {
    protection: Protection,
    held: Reservation,
    /// The kernel buffers, while the client does not read.
    kernel: Option<Reservation>,
    /// The bytes from the client since the last response.
    read: usize,
    /// The moment of the last response, or of the beginning of the connection.
    since: u32,
    phase: HttpPhase,
    has_response: bool,
    is_closing: bool,
}

/// The phase of an HTTP connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum HttpPhase {
    /// A TLS handshake is in progress.
    Handshake,
    /// Requests are read and answered.
    Requests,
    /// The response is an SSE stream: the client must not send anything more.
    Stream,
}

/// An order to close a connection. A later variant overrides an earlier one.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum CloseOrder {
    None,
    /// The relay is shutting down: the client has time to read its response, and a stream ends with its session.
    Drain,
    /// The response is complete: the client has time to read it.
    Finish,
    /// The connection closes at once.
    Now,
}

impl CloseOrder {
    const ALL: [Self; 4] = [Self::None, Self::Drain, Self::Finish, Self::Now];
}

impl HttpConnection {
    pub(super) fn new(registry: Arc<HttpConnections>, key: usize, protection: Protection) -> Self {
        let memory = registry.memory.clone();
        let state = HttpState {
            protection,
            since: memory.moment(),
            held: Reservation::new(memory, MemoryKind::Unauthenticated, protection.idle()),
            kernel: None,
            read: 0,
            phase: if protection == Protection::Tls { HttpPhase::Handshake } else { HttpPhase::Requests },
            has_response: false,
            is_closing: false,
        };
        Self {
            registry,
            key,
            state: Mutex::new(state),
            order: AtomicU8::new(CloseOrder::None as u8),
            order_changed: Notify::new(),
        }
    }

    /// Returns whether there is memory for the connection, which is already accounted.
    pub(crate) fn has_memory(&self) -> bool {
        self.registry.memory.admits_unauthenticated(0)
    }

    /// Records the end of the TLS handshake.
    pub(crate) fn handshake_done(&self) {
        self.state().phase = HttpPhase::Requests;
    }

    /// Records that the request has a valid token, or belongs to a known stream.
    pub(crate) fn mark_authenticated(&self) {
        let mut state = self.state();
        if state.phase == HttpPhase::Requests {
            state.held.set_kind(MemoryKind::Requests);
        }
    }

    /// Records that a request was answered. The next one is unauthenticated again.
    pub(crate) fn answered(&self) {
        let mut state = self.state();
        state.read = 0;
        state.has_response = true;
        state.since = self.registry.memory.moment();
        let idle = state.protection.idle();
        state.held.set(idle);
        if state.phase == HttpPhase::Requests {
            state.held.set_kind(MemoryKind::Unauthenticated);
        }
    }

    /// Returns whether a request was answered and no byte of the next one has arrived.
    pub(super) fn is_between_requests(&self) -> bool {
        let state = self.state();
        state.has_response && state.read == 0
    }

    /// Records that the response is an SSE stream.
    pub(crate) fn begin_stream(&self) {
        self.state().phase = HttpPhase::Stream;
    }

    /// Returns whether the response is an SSE stream.
    pub(super) fn is_stream(&self) -> bool {
        self.state().phase == HttpPhase::Stream
    }

    /// Records that the stream has a session.
    pub(crate) fn open_session(&self) {
        self.state().held.set_kind(MemoryKind::Connections);
    }

    /// Returns the accounted bytes, without kernel buffers.
    pub(crate) fn accounted_bytes(&self) -> usize {
        self.state().held.bytes()
    }

    /// Returns the time after which a client that reads nothing is disconnected.
    pub(super) fn write_timeout(&self) -> Duration {
        self.registry.limits.settings().write_timeout
    }

    /// Accounts bytes from the client.
    ///
    /// # Errors
    /// The client may not send this much now, or there is no memory for it.
    pub(super) fn count_read(&self, count: usize) -> io::Result<()> {
        let mut state = self.state();
        if count == 0 {
            return Ok(());
        }
        if state.phase == HttpPhase::Stream {
            drop(state);
            self.close_now();
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the client sent data on the connection of its stream",
            ));
        }
        state.read += count;
        if state.phase == HttpPhase::Handshake && state.read > MAX_HANDSHAKE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the TLS handshake exceeds 16 KiB"));
        }
        let bytes = state.protection.after(state.read);
        let fits = state.held.set(bytes);
        if fits || state.read <= MIN_READ || state.held.kind() != MemoryKind::Unauthenticated {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::OutOfMemory, "there is no memory for the rest of the request"))
    }

    /// Accounts the kernel buffers of a client that does not read.
    ///
    /// # Errors
    /// There is no memory for them.
    pub(super) fn count_kernel_buffers(&self) -> io::Result<()> {
        let mut state = self.state();
        // The kernel buffers of an unauthenticated connection belong to the share of those connections.
        let kind = if state.held.kind() == MemoryKind::Unauthenticated {
            MemoryKind::Unauthenticated
        } else {
            MemoryKind::Kernel
        };
        let mut kernel = Reservation::new(self.registry.memory.clone(), kind, 0);
        let fits = kernel.set(UNREAD + UNSENT);
        state.kernel = Some(kernel);
        if fits {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::OutOfMemory,
            "there is no memory for a response that the client does not read",
        ))
    }

    /// Releases the kernel buffers of a client that reads again.
    pub(super) fn release_kernel_buffers(&self) {
        self.state().kernel = None;
    }

    /// Closes the connection for a shutdown: no further request is answered.
    pub(crate) fn drain(&self) {
        self.order_close(CloseOrder::Drain);
    }

    /// Closes the connection after its last response, which the client has time to read.
    pub(crate) fn finish(&self) {
        self.order_close(CloseOrder::Finish);
    }

    /// Closes the connection at once.
    pub(crate) fn close_now(&self) {
        self.state().mark_closing();
        self.order_close(CloseOrder::Now);
    }

    /// Returns whether the connection closes at once, discarding what its client has not read.
    pub(super) fn is_closing_now(&self) -> bool {
        self.order() == CloseOrder::Now
    }

    fn order(&self) -> CloseOrder {
        let order = usize::from(self.order.load(Ordering::Acquire));
        CloseOrder::ALL.get(order).copied().unwrap_or(CloseOrder::Now)
    }

    /// Runs the connection's task until it ends or must end. The caller then drops the task, which closes the socket.
    pub(crate) async fn run(&self, task: Pin<&mut impl Future<Output = ()>>) {
        tokio::select! {
            biased;
            () = task => {}
            () = self.wait_for_close_order() => self.close_now(),
        }
    }

    /// Waits until the connection must end.
    async fn wait_for_close_order(&self) {
        self.order_changed.notified().await;
        // Boxed, so that the future needs no memory before the order.
        Box::pin(self.wait_for_close_deadline()).await;
    }

    /// Waits until the client's time to read has passed.
    async fn wait_for_close_deadline(&self) {
        loop {
            let limit = match self.order() {
                CloseOrder::Now => return,
                CloseOrder::Drain if self.is_stream() => STREAM_CLOSE_TIMEOUT,
                CloseOrder::None | CloseOrder::Drain | CloseOrder::Finish => CLOSE_TIMEOUT,
            };
            if timeout(limit, self.order_changed.notified()).await.is_err() {
                return;
            }
        }
    }

    fn order_close(&self, order: CloseOrder) {
        self.order.fetch_max(order as u8, Ordering::AcqRel);
        self.order_changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, HttpState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpState {
    fn mark_closing(&mut self) {
        self.is_closing = true;
        self.held.mark_closing();
        if let Some(kernel) = &mut self.kernel {
            kernel.mark_closing();
        }
    }
}

impl Holder for HttpConnection {
    fn shed_class(&self) -> ShedClass {
        let state = self.state();
        // The shedder sees a stream as a connection of the registry.
        if state.is_closing
            || state.phase == HttpPhase::Stream
            || state.held.kind() != MemoryKind::Unauthenticated
        {
            return ShedClass::Exempt;
        }
        // An unauthenticated client that does not read gets no grace period.
        let age = match &state.kernel {
            Some(_) => u32::MAX,
            None => self.registry.memory.moment().wrapping_sub(state.since),
        };
        let kernel = state.kernel.as_ref().map_or(0, Reservation::bytes);
        ShedClass::Unauthenticated { age, bytes: state.held.bytes() + kernel }
    }

    fn shed(&self) {
        self.close_now();
    }
}

impl Drop for HttpConnection {
    fn drop(&mut self) {
        self.registry.unregister(self.key);
    }
}
