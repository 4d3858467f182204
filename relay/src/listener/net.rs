//! The options that bound the system's buffers for a client's socket, in bytes and in time. An accepted socket inherits
//! them from the listening one (tcp(7), socket(7)), so that they cost a connection nothing.

use socket2::SockRef;
use std::{io, time::Duration};
use tokio::net::{TcpListener, TcpStream, UnixStream};

/// Bytes that the system takes for a socket whose client does not read; measured, and rounded up.
pub(crate) const UNSENT: usize = 48 * 1024;
/// The same for a client that [`let_wait_more`] was called for.
pub(crate) const UNSENT_OF_QUICK: usize = 136 * 1024;
/// The same for a socket that the relay does not read from.
pub(crate) const UNREAD: usize = 2 * RECEIVE_BUFFER;

/// Most bytes that wait unsent in the system, besides the write that passes this mark. The rest waits in the queue of the
/// connection, which shares it with other queues and counts it. Bytes on their way to the client are not among them.
const LOW_WATER: u32 = 16 * 1024;
/// The same for a client that reads quickly. With the lower mark, messages of 64 KiB lose a third of their throughput.
const LOW_WATER_OF_QUICK: u32 = 64 * 1024;
/// Buffers of a TCP socket, in bytes; the system sets twice that aside for its own books. Over a way of 100 ms, a client
/// still gets two megabytes a second and sends half of one.
const SEND_BUFFER: usize = 256 * 1024;
const RECEIVE_BUFFER: usize = 64 * 1024;
/// The buffer of a Unix domain socket, both ends of which are on one machine.
const UNIX_SEND_BUFFER: usize = 24 * 1024;
/// The time in which a client may acknowledge nothing, or keep its window closed: longer than the two heartbeats after which
/// a silent session ends. It also bounds the rest of a connection that was closed already, which a client could otherwise
/// keep for ever by its answers to the system's probes.
const USER_TIMEOUT: Duration = Duration::from_secs(60);

/// Prepares a listening socket, for all those that it accepts.
pub(crate) fn prepare(listener: &TcpListener) -> io::Result<()> {
    let socket = SockRef::from(listener);
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    #[cfg(target_os = "linux")]
    {
        socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
        socket.set_tcp_notsent_lowat(LOW_WATER)?;
    }
    Ok(())
}

/// Lets more wait in the system for a client that reads quickly.
pub(crate) fn let_wait_more(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    let _ = SockRef::from(stream).set_tcp_notsent_lowat(LOW_WATER_OF_QUICK);
}

/// Prepares an accepted Unix domain socket, which inherits nothing.
pub(crate) fn prepare_unix(stream: &UnixStream) {
    let _ = SockRef::from(stream).set_send_buffer_size(UNIX_SEND_BUFFER);
}

/// A client's socket.
pub(crate) trait ClientSocket {
    /// Makes the socket drop everything that the client has not read, and reset the connection, once it is closed.
    fn close_abruptly(&self);
}

impl ClientSocket for TcpStream {
    fn close_abruptly(&self) {
        close_abruptly(self);
    }
}

impl ClientSocket for UnixStream {
    /// A Unix domain socket drops everything in any case.
    fn close_abruptly(&self) {}
}

/// See [`ClientSocket::close_abruptly`].
pub(crate) fn close_abruptly(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_accepted_socket_has_what_the_one_that_listens_was_given() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        prepare(&listener).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        let socket = SockRef::from(&accepted);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(USER_TIMEOUT));
        assert_eq!(socket.tcp_notsent_lowat().unwrap(), LOW_WATER);
        assert_eq!(socket.send_buffer_size().unwrap(), 2 * SEND_BUFFER);
        assert_eq!(socket.recv_buffer_size().unwrap(), UNREAD);
    }
}
