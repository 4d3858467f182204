//! The socket below HTTP and TLS, with a minimum read rate. A client that reads its response too slowly is
//! disconnected; otherwise it could hold the response, the kernel buffers and its permit for ever.

use super::HttpConnection;
use crate::listener::net::ClientSocket;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// The minimum read rate of a client in bytes per second, averaged over the time that a response waits for it.
const MIN_RATE: f64 = 1024.0;

/// A socket whose client must read at least [`MIN_RATE`].
pub(crate) struct Paced<S: ClientSocket> {
    /// The socket; `None` after [`Self::into_inner`].
    stream: Option<S>,
    connection: Arc<HttpConnection>,
    /// Present while a write waits for the client.
    stall: Option<Box<Stall>>,
}

/// A response that waits for its client.
struct Stall {
    begun: Instant,
    written: usize,
    timeout: Duration,
    end: Pin<Box<Sleep>>,
}

impl<S: ClientSocket> Paced<S> {
    pub(crate) fn new(stream: S, connection: Arc<HttpConnection>) -> Self {
        Self { stream: Some(stream), connection, stall: None }
    }

    /// Takes the socket out. It is always present, because this consumes the value.
    pub(crate) fn into_inner(mut self) -> Option<S> {
        self.stream.take()
    }

    /// Passes on the result of a write, or an error if the client's time has passed.
    fn pace(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Ok(count)) => {
                if let Some(stall) = &mut self.stall {
                    stall.progress(count);
                }
                Poll::Ready(Ok(count))
            }
            Poll::Pending => self.wait(context).map(Err),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        }
    }

    /// Completes with an error once the client's time has passed.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        if self.stall.is_none()
            && let Err(error) = self.connection.count_kernel_buffers()
        {
            self.connection.close_now();
            return Poll::Ready(error);
        }
        let stall = self.stall.get_or_insert_with(|| Box::new(Stall::new(self.connection.write_timeout())));
        match stall.end.as_mut().poll(context) {
            Poll::Ready(()) => {
                self.connection.close_now();
                Poll::Ready(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the client reads its response too slowly (`write_timeout`)",
                ))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// Records that everything was written.
    fn flushed(&mut self) {
        if self.stall.take().is_some() {
            self.connection.release_kernel_buffers();
        }
    }

    /// Fails if the client sends data on the connection of its stream. hyper stops reading once its own buffer holds
    /// something, so further data would stay in the kernel buffers.
    fn check_silence(&mut self, context: &mut Context<'_>) -> io::Result<()>
    where
        S: AsyncRead + Unpin,
    {
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        match self.socket()?.poll_read(context, &mut buffer) {
            Poll::Ready(Ok(())) => self.connection.count_read(buffer.filled().len()),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => Ok(()),
        }
    }

    fn socket(&mut self) -> io::Result<Pin<&mut S>>
    where
        S: Unpin,
    {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Stall {
    fn new(timeout: Duration) -> Self {
        let begun = Instant::now();
        Self { begun, written: 0, timeout, end: Box::pin(sleep_until(begun + timeout)) }
    }

    /// Extends the deadline, because the client has read `count` bytes.
    fn progress(&mut self, count: usize) {
        self.written += count;
        // A client that was quick may pause no longer than a slow one.
        let earned = Duration::from_secs_f64(self.written as f64 / MIN_RATE);
        let end = (Instant::now() + self.timeout).min(self.begun + self.timeout + earned);
        self.end.as_mut().reset(end);
    }
}

impl<S: AsyncRead + ClientSocket + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = self.socket()?.poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = result {
            self.connection.count_read(buffer.filled().len() - before)?;
        }
        result
    }
}

impl<S: AsyncRead + AsyncWrite + ClientSocket + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = self.socket()?.poll_write(context, bytes);
        self.pace(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = self.socket()?.poll_write_vectored(context, slices);
        self.pace(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = self.socket()?.poll_flush(context);
        if let Poll::Ready(Ok(())) = result {
            self.flushed();
        }
        if self.connection.is_stream() {
            self.check_silence(context)?;
        }
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket()?.poll_shutdown(context)
    }
}

impl<S: ClientSocket> Drop for Paced<S> {
    fn drop(&mut self) {
        if let Some(stream) = &self.stream
            && self.connection.is_closing_now()
        {
            stream.close_abruptly();
        }
    }
}

#[cfg(test)]
mod tests;
