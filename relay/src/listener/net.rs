//! Socket options that bound the system's buffers for a client, in bytes and in time. An accepted socket inherits them from
//! the listening socket (tcp(7), socket(7)), so they cost no system call per connection.

use socket2::SockRef;
use std::{io, time::Duration};
use tokio::net::{TcpListener, TcpStream, UnixStream};

/// Kernel memory of a socket whose client does not read, in bytes. The value is measured and rounded up.
pub(crate) const UNSENT: usize = 48 * 1024;
/// Kernel memory of a socket whose client stopped reading after [`raise_unsent_limit`] was called for it, in bytes.
pub(crate) const UNSENT_AFTER_RAISE: usize = 136 * 1024;
/// Kernel memory of a socket that the relay does not read from, in bytes.
pub(crate) const UNREAD: usize = 2 * RECEIVE_BUFFER;

/// The maximum number of unsent bytes in the system, apart from the write that exceeds it. Further bytes wait in the
/// connection's queue, which shares them with other queues and counts them. Bytes in flight are not included.
const UNSENT_LIMIT: u32 = 16 * 1024;
/// The limit of unsent bytes for a client that reads quickly. With the lower limit, messages of 64 KiB lose a third of their
/// throughput.
const RAISED_UNSENT_LIMIT: u32 = 64 * 1024;
/// The send buffer of a TCP socket, in bytes. The system reserves twice as much, for its own overhead. With a round-trip
/// time of 100 ms, a client still receives 2 MB/s.
const SEND_BUFFER: usize = 256 * 1024;
/// The receive buffer of a TCP socket, in bytes. With a round-trip time of 100 ms, a client still sends 0.5 MB/s.
const RECEIVE_BUFFER: usize = 64 * 1024;
/// The send buffer of a Unix domain socket, in bytes. It is small, because both ends are on one machine.
const UNIX_SEND_BUFFER: usize = 24 * 1024;
/// The time for which a client may acknowledge nothing or keep its window closed. It is longer than the two heartbeats after
/// which a silent session ends. It also bounds the remainder of a closed connection, which a client could otherwise keep
/// forever by answering the system's probes.
const USER_TIMEOUT: Duration = Duration::from_secs(60);

/// Sets the options of a listening socket, which accepted sockets inherit.
pub(crate) fn prepare(listener: &TcpListener) -> io::Result<()> {
    let socket = SockRef::from(listener);
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    #[cfg(target_os = "linux")]
    {
        socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
        socket.set_tcp_notsent_lowat(UNSENT_LIMIT)?;
    }
    Ok(())
}

/// Raises the limit of unsent bytes in the system for a client that reads quickly.
pub(crate) fn raise_unsent_limit(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    let _ = SockRef::from(stream).set_tcp_notsent_lowat(RAISED_UNSENT_LIMIT);
}

/// Sets the options of an accepted Unix domain socket, which inherits none.
pub(crate) fn prepare_unix(stream: &UnixStream) {
    let _ = SockRef::from(stream).set_send_buffer_size(UNIX_SEND_BUFFER);
}

/// The socket of a client.
pub(crate) trait ClientSocket {
    /// Makes closing the socket reset the connection and drop everything that the client has not read.
    fn close_abruptly(&self);
}

impl ClientSocket for TcpStream {
    fn close_abruptly(&self) {
        close_abruptly(self);
    }
}

impl ClientSocket for UnixStream {
    /// Does nothing: a closed Unix domain socket drops its buffers in any case.
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
    async fn an_accepted_socket_inherits_the_options_of_the_listening_socket() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        prepare(&listener).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        let socket = SockRef::from(&accepted);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(USER_TIMEOUT));
        assert_eq!(socket.tcp_notsent_lowat().unwrap(), UNSENT_LIMIT);
        assert_eq!(socket.send_buffer_size().unwrap(), 2 * SEND_BUFFER);
        assert_eq!(socket.recv_buffer_size().unwrap(), UNREAD);
    }
}
