//! The WebSocket of a client core, as tasks that feed its actor.

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use sealwire_client::ConnectionId;
use sealwire_protocol::wire::SUBPROTOCOL;
use std::{net::Ipv4Addr, time::Duration};
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL},
    },
};

/// The time that opening may take. The core gives up at the same time.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// The time that an abandoned WebSocket has to send what waits, and its close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// One thing that happens to a WebSocket.
pub(super) enum Input {
    Opened(ConnectionId),
    Frame(ConnectionId, Bytes),
    Closed(ConnectionId, Option<u16>),
}

/// A WebSocket that is opening or open. Dropping it closes the connection.
pub(super) struct Socket {
    outgoing: mpsc::UnboundedSender<Bytes>,
    _closes: oneshot::Sender<()>,
}

impl Socket {
    /// Connects to a relay. The results arrive in `feed`.
    pub(super) fn open(connection: ConnectionId, port: u16, feed: mpsc::UnboundedSender<Input>) -> Self {
        let (outgoing, frames) = mpsc::unbounded_channel();
        let (closes, closed) = oneshot::channel();
        tokio::spawn(async move {
            let code = tokio::select! {
                code = serve(connection, port, frames, &feed) => code,
                () = async {
                    let _ = closed.await;
                    sleep(CLOSE_TIMEOUT).await;
                } => None,
            };
            // The actor may have ended.
            let _ = feed.send(Input::Closed(connection, code));
        });
        Self { outgoing, _closes: closes }
    }

    pub(super) fn send(&self, frame: Bytes) {
        // The task's end arrives as `Input::Closed`.
        let _ = self.outgoing.send(frame);
    }
}

/// Serves one WebSocket and returns its close code.
async fn serve(
    connection: ConnectionId,
    port: u16,
    mut frames: mpsc::UnboundedReceiver<Bytes>,
    feed: &mpsc::UnboundedSender<Input>,
) -> Option<u16> {
    let Ok(Ok(socket)) = timeout(OPEN_TIMEOUT, connect(port)).await else { return Some(1006) };
    let _ = feed.send(Input::Opened(connection));
    let (mut sink, mut stream) = socket.split();
    let read = async {
        while let Some(Ok(frame)) = stream.next().await {
            match frame {
                Message::Binary(bytes) => drop(feed.send(Input::Frame(connection, bytes))),
                Message::Close(close) => return close.map(|close| close.code.into()),
                _ => {}
            }
        }
        Some(1006)
    };
    let write = async {
        while let Some(frame) = frames.recv().await {
            if sink.send(Message::Binary(frame)).await.is_err() {
                return Some(1006);
            }
        }
        let _ = sink.close().await;
        None
    };
    tokio::select! {
        code = read => code,
        code = write => code,
    }
}

async fn connect(port: u16) -> Result<WebSocketStream<TcpStream>, Error> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.set_nodelay(true)?;
    let mut request = format!("ws://127.0.0.1:{port}/v1/realtime").into_client_request()?;
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    Ok(client_async(request, stream).await?.0)
}
