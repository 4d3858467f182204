//! One connection that speaks HTTP: its share of the memory, and the orders to end it.

use super::{Guests, footprint::Protection};
use crate::{
    listener::net::{UNREAD, UNSENT},
    memory::{Holder, Kind, Reservation, Standing},
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

/// Bytes that are read in any case: the relay reads a request before it refuses it.
const MIN_READ: usize = 4 * 1024;
/// Most bytes of a client in a handshake of TLS. Its messages take some 2 KiB.
const MAX_HANDSHAKE: usize = 16 * 1024;
/// The time that a client has for the end of its answer: for that of a stream after its session, and for that of any answer
/// when the relay ends.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
/// The same for a stream when the relay ends, whose session ends first.
const STREAM_CLOSE_TIMEOUT: Duration = Duration::from_secs(15);

/// A connection that speaks HTTP.
pub(crate) struct Guest {
    guests: Arc<Guests>,
    key: usize,
    state: Mutex<State>,
    /// An [`Order`].
    order: AtomicU8,
    ordered: Notify,
}

struct State {
    protection: Protection,
    held: Reservation,
    /// The system's buffers, while the client does not read.
    kernel: Option<Reservation>,
    /// Bytes from the client since the last answer.
    read: usize,
    /// The moment of the last answer, or of the beginning of the connection.
    since: u32,
    stage: Stage,
    has_answer: bool,
    is_leaving: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// A handshake of TLS is under way.
    Handshake,
    /// Requests are read and answered.
    Requests,
    /// The answer is a stream: nothing more may come from the client.
    Stream,
}

/// An order to a connection. A later one prevails.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Order {
    Stay,
    /// The relay ends: the client has a moment to read its answer, and a stream ends with its session.
    Drain,
    /// The answer has come to its end: the client has a moment to read it.
    Finish,
    /// The connection ends at once.
    Leave,
}

impl Order {
    const ALL: [Self; 4] = [Self::Stay, Self::Drain, Self::Finish, Self::Leave];
}

impl Guest {
    pub(super) fn new(guests: Arc<Guests>, key: usize, protection: Protection) -> Self {
        let memory = guests.memory.clone();
        let state = State {
            protection,
            since: memory.moment(),
            held: Reservation::new(memory, Kind::Guests, protection.idle()),
            kernel: None,
            read: 0,
            stage: if protection == Protection::Tls { Stage::Handshake } else { Stage::Requests },
            has_answer: false,
            is_leaving: false,
        };
        Self {
            guests,
            key,
            state: Mutex::new(state),
            order: AtomicU8::new(Order::Stay as u8),
            ordered: Notify::new(),
        }
    }

    /// True if there is memory for the connection, which is counted already.
    pub(crate) fn has_room(&self) -> bool {
        self.guests.memory.admits_guest(0)
    }

    /// The handshake is done.
    pub(crate) fn shook_hands(&self) {
        self.state().stage = Stage::Requests;
    }

    /// The request has shown a token or is for a known stream: it is not a stranger's.
    pub(crate) fn vouch(&self) {
        let mut state = self.state();
        if state.stage == Stage::Requests {
            state.held.set_kind(Kind::Requests);
        }
    }

    /// A request was answered. The next one may be a stranger's.
    pub(crate) fn answered(&self) {
        let mut state = self.state();
        state.read = 0;
        state.has_answer = true;
        state.since = self.guests.memory.moment();
        let idle = state.protection.idle();
        state.held.set(idle);
        if state.stage == Stage::Requests {
            state.held.set_kind(Kind::Guests);
        }
    }

    /// True between two requests: one was answered, and nothing has come of the next one.
    pub(super) fn is_between_requests(&self) -> bool {
        let state = self.state();
        state.has_answer && state.read == 0
    }

    /// The answer is a stream, for a client without a WebSocket.
    pub(crate) fn begin_stream(&self) {
        self.state().stage = Stage::Stream;
    }

    /// True if the answer is a stream.
    pub(super) fn is_stream(&self) -> bool {
        self.state().stage == Stage::Stream
    }

    /// The stream has a session.
    pub(crate) fn open_session(&self) {
        self.state().held.set_kind(Kind::Connections);
    }

    /// Bytes that are counted of the connection, without the system's.
    pub(crate) fn held(&self) -> usize {
        self.state().held.bytes()
    }

    /// The time in which the client may read nothing of an answer.
    pub(super) fn patience(&self) -> Duration {
        self.guests.limits.settings().write_timeout
    }

    /// So many bytes came from the client.
    ///
    /// # Errors
    /// The client sends more than it may at this point, or there is no memory for it.
    pub(super) fn read(&self, count: usize) -> io::Result<()> {
        let mut state = self.state();
        if count == 0 {
            return Ok(());
        }
        if state.stage == Stage::Stream {
            drop(state);
            self.expel();
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the client sends while its stream is open",
            ));
        }
        state.read += count;
        if state.stage == Stage::Handshake && state.read > MAX_HANDSHAKE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the TLS handshake is too long"));
        }
        let bytes = state.protection.after(state.read);
        let fits = state.held.set(bytes);
        if fits || state.read <= MIN_READ || state.held.kind() != Kind::Guests {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::OutOfMemory, "there is no memory for more of the request"))
    }

    /// Counts the buffers of the system for a client that does not read.
    ///
    /// # Errors
    /// There is no memory for them.
    pub(super) fn block(&self) -> io::Result<()> {
        let mut state = self.state();
        // The buffers of a stranger are part of the strangers' share.
        let kind = if state.held.kind() == Kind::Guests { Kind::Guests } else { Kind::Kernel };
        let mut kernel = Reservation::new(self.guests.memory.clone(), kind, 0);
        let fits = kernel.set(UNREAD + UNSENT);
        state.kernel = Some(kernel);
        if fits {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::OutOfMemory, "there is no memory for answers that are not read"))
    }

    /// The client reads again.
    pub(super) fn unblock(&self) {
        self.state().kernel = None;
    }

    /// The relay ends, and no further request is answered.
    pub(crate) fn drain(&self) {
        self.give(Order::Drain);
    }

    /// The answer has come to its end, and the client has a moment to read it.
    pub(crate) fn finish(&self) {
        self.give(Order::Finish);
    }

    /// Ends the connection at once.
    pub(crate) fn expel(&self) {
        self.state().leave();
        self.give(Order::Leave);
    }

    /// True if the connection ends at once, with everything that its client has not read.
    pub(super) fn is_expelled(&self) -> bool {
        self.order() == Order::Leave
    }

    fn order(&self) -> Order {
        let order = usize::from(self.order.load(Ordering::Acquire));
        Order::ALL.get(order).copied().unwrap_or(Order::Leave)
    }

    /// Runs the connection's task until it ends or has to; the caller drops the task then, and the socket with it.
    pub(crate) async fn host(&self, task: Pin<&mut impl Future<Output = ()>>) {
        tokio::select! {
            biased;
            () = task => {}
            () = self.dismissed() => self.expel(),
        }
    }

    /// Waits until the connection has to end.
    async fn dismissed(&self) {
        self.ordered.notified().await;
        // Boxed, so that a connection takes no room for it before.
        Box::pin(self.farewell()).await;
    }

    /// Waits for the time that the client has left.
    async fn farewell(&self) {
        loop {
            let patience = match self.order() {
                Order::Leave => return,
                Order::Drain if self.is_stream() => STREAM_CLOSE_TIMEOUT,
                Order::Stay | Order::Drain | Order::Finish => CLOSE_TIMEOUT,
            };
            if timeout(patience, self.ordered.notified()).await.is_err() {
                return;
            }
        }
    }

    fn give(&self, order: Order) {
        self.order.fetch_max(order as u8, Ordering::AcqRel);
        self.ordered.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn leave(&mut self) {
        self.is_leaving = true;
        self.held.leave();
        if let Some(kernel) = &mut self.kernel {
            kernel.leave();
        }
    }
}

impl Holder for Guest {
    fn standing(&self) -> Standing {
        let state = self.state();
        // A stream is known to the shedder by its connection.
        if state.is_leaving || state.stage == Stage::Stream || state.held.kind() != Kind::Guests {
            return Standing::Exempt;
        }
        // A stranger that does not even read has no use for more time.
        let age = match &state.kernel {
            Some(_) => u32::MAX,
            None => self.guests.memory.moment().wrapping_sub(state.since),
        };
        let kernel = state.kernel.as_ref().map_or(0, Reservation::bytes);
        Standing::Stranger { age, bytes: state.held.bytes() + kernel }
    }

    fn shed(&self) {
        self.expel();
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.guests.leave(self.key);
    }
}
