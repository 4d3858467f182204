//! A client's socket as HTTP and TLS see it. A client that does not read its answers, or hardly, loses the connection;
//! otherwise it could keep the answer, the system's buffers and the connection's place for ever.

use super::Guest;
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

/// The least rate of a client, in bytes a second, over the whole time that an answer waits for it.
const MIN_RATE: f64 = 1024.0;

pub(crate) struct Paced<S: ClientSocket> {
    /// Absent after it was taken out.
    stream: Option<S>,
    guest: Arc<Guest>,
    /// Present while the client's socket takes no more.
    stall: Option<Box<Stall>>,
}

/// An answer that waits for its client.
struct Stall {
    begun: Instant,
    written: usize,
    patience: Duration,
    end: Pin<Box<Sleep>>,
}

impl<S: ClientSocket> Paced<S> {
    pub(crate) fn new(stream: S, guest: Arc<Guest>) -> Self {
        Self { stream: Some(stream), guest, stall: None }
    }

    /// The socket itself. It is present, as it is taken out once.
    pub(crate) fn into_inner(mut self) -> Option<S> {
        self.stream.take()
    }

    /// Passes on the result of a write. A write that has to wait for too long ends the connection.
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

    /// Ready with an error once the time of the client is over.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        if self.stall.is_none()
            && let Err(error) = self.guest.block()
        {
            self.guest.expel();
            return Poll::Ready(error);
        }
        let stall = self.stall.get_or_insert_with(|| Box::new(Stall::new(self.guest.patience())));
        match stall.end.as_mut().poll(context) {
            Poll::Ready(()) => {
                self.guest.expel();
                Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the client does not read its answer"))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// Everything was written.
    fn flushed(&mut self) {
        if self.stall.take().is_some() {
            self.guest.unblock();
        }
    }

    /// Fails if the client sends while its stream is open. HTTP stops to read once something lies in its own buffer, and
    /// everything else would lie in the system's.
    fn check_silence(&mut self, context: &mut Context<'_>) -> io::Result<()>
    where
        S: AsyncRead + Unpin,
    {
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        match self.socket()?.poll_read(context, &mut buffer) {
            Poll::Ready(Ok(())) => self.guest.read(buffer.filled().len()),
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
    fn new(patience: Duration) -> Self {
        let begun = Instant::now();
        Self { begun, written: 0, patience, end: Box::pin(sleep_until(begun + patience)) }
    }

    /// The client has read so much.
    fn progress(&mut self, count: usize) {
        self.written += count;
        // A client that was quick may not stop for any longer after it.
        let earned = Duration::from_secs_f64(self.written as f64 / MIN_RATE);
        let end = (Instant::now() + self.patience).min(self.begun + self.patience + earned);
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
            self.guest.read(buffer.filled().len() - before)?;
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
        if self.guest.is_stream() {
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
            && self.guest.is_expelled()
        {
            stream.close_abruptly();
        }
    }
}

#[cfg(test)]
mod tests;
