//! A TLS connection as a stream of tokio, for the handshake and for HTTP.

use super::session::TlsSession;
use rustls::ServerConfig;
use std::{
    future::poll_fn,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream of plaintext over a stream of TLS records.
pub(crate) struct TlsStream<S> {
    stream: S,
    session: TlsSession,
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    /// Completes the handshake with a client.
    pub(crate) async fn accept(config: Arc<ServerConfig>, stream: S) -> io::Result<Self> {
        let session = TlsSession::new(config).map_err(io::Error::other)?;
        let mut connection = Self { stream, session };
        poll_fn(|context| connection.poll_handshake(context)).await?;
        Ok(connection)
    }

    /// Returns the stream and the session, which may have plaintext that was not read.
    pub(crate) fn into_inner(self) -> (S, TlsSession) {
        (self.stream, self.session)
    }

    fn poll_handshake(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_send(context))?;
            if !self.session.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_receive(context))?;
        }
    }

    /// Reads and decrypts bytes. Fails at the end of the stream.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = &mut self.stream;
        let received = self.session.receive(|space| {
            let mut buffer = ReadBuf::new(space);
            match Pin::new(stream).poll_read(context, &mut buffer) {
                Poll::Ready(read) => read.map(|()| buffer.filled().len()),
                Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
            }
        });
        match received {
            Ok(0) => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => Poll::Ready(Ok(())),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            Err(error) => {
                // The client gets the alert if its socket has room.
                let _ = self.poll_send(context);
                Poll::Ready(Err(error))
            }
        }
    }

    /// Writes all encrypted bytes.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = &mut self.stream;
        let sent = self.session.send(|bytes| match Pin::new(&mut *stream).poll_write(context, bytes) {
            Poll::Ready(written) => written,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        });
        match sent {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            sent => Poll::Ready(sent),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let count = self.session.take_plaintext(buffer.remaining(), |bytes| buffer.put_slice(bytes));
            if count > 0 || buffer.remaining() == 0 || self.session.is_ended() {
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_receive(context))?;
            // rustls may answer, for example to a key update.
            if let Poll::Ready(sent) = self.poll_send(context) {
                sent?;
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_send(context))?;
        let count = self.session.encrypt(&[IoSlice::new(bytes)])?;
        if let Poll::Ready(sent) = self.poll_send(context) {
            sent?;
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.session.close();
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
