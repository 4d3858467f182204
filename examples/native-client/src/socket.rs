//! The WebSocket of the client core, as a task that reports to the client's task.

use crate::exchange::SessionResult;
use futures_util::{SinkExt as _, StreamExt as _};
use sealwire_client::{ConnectionId, FetchId};
use sealwire_protocol::{limits, wire::SUBPROTOCOL};
use std::time::Duration;
use tokio::{
    sync::{mpsc, oneshot},
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    connect_async_with_config,
    tungstenite::{
        Bytes, Error, Message,
        client::IntoClientRequest as _,
        http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL},
        protocol::WebSocketConfig,
    },
};

/// The time that opening may take. The core gives up at the same time.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// The time that an abandoned WebSocket has to send what waits, and its close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// The close code for a connection that ended without one.
const ABNORMAL: u16 = 1006;

/// One thing that happens outside of the core.
pub(crate) enum Input {
    Opened(ConnectionId),
    Frame(ConnectionId, Bytes),
    Closed(ConnectionId, Option<u16>),
    Session(FetchId, SessionResult),
}

/// A WebSocket that is opening or open. Dropping it closes the connection.
pub(crate) struct Socket {
    outgoing: mpsc::UnboundedSender<Bytes>,
    _closes: oneshot::Sender<()>,
}

impl Socket {
    /// Connects to a relay. The results arrive in `feed`.
    pub(crate) fn open(connection: ConnectionId, url: String, feed: mpsc::UnboundedSender<Input>) -> Self {
        let (outgoing, frames) = mpsc::unbounded_channel();
        let (closes, closed) = oneshot::channel();
        tokio::spawn(async move {
            let code = tokio::select! {
                code = serve(connection, url, frames, &feed) => code,
                () = async {
                    // An error means that the WebSocket was dropped.
                    let _ = closed.await;
                    sleep(CLOSE_TIMEOUT).await;
                } => None,
            };
            // The client may have ended.
            let _ = feed.send(Input::Closed(connection, code));
        });
        Self { outgoing, _closes: closes }
    }

    /// Sends one message.
    pub(crate) fn send(&self, message: Bytes) {
        // The end of the task arrives as `Input::Closed`.
        let _ = self.outgoing.send(message);
    }
}

/// Serves one WebSocket and returns its close code.
async fn serve(
    connection: ConnectionId,
    url: String,
    mut frames: mpsc::UnboundedReceiver<Bytes>,
    feed: &mpsc::UnboundedSender<Input>,
) -> Option<u16> {
    let connecting = timeout(OPEN_TIMEOUT, async {
        let mut request = url.into_client_request()?;
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
        let config = WebSocketConfig::default().max_message_size(Some(limits::MAX_FRAME));
        Ok::<_, Error>(connect_async_with_config(request, Some(config), true).await?.0)
    });
    let socket = match connecting.await {
        Ok(Ok(socket)) => socket,
        Ok(Err(error)) => {
            eprintln!("the relay is not reached: {error}");
            return Some(ABNORMAL);
        }
        Err(_) => return Some(ABNORMAL),
    };
    let _ = feed.send(Input::Opened(connection));
    let (mut sink, mut stream) = socket.split();
    let read = async {
        while let Some(Ok(message)) = stream.next().await {
            match message {
                Message::Binary(bytes) => drop(feed.send(Input::Frame(connection, bytes))),
                Message::Close(close) => return close.map(|close| close.code.into()),
                // The core refuses text.
                Message::Text(_) => return Some(ABNORMAL),
                _ => {}
            }
        }
        Some(ABNORMAL)
    };
    let write = async {
        while let Some(frame) = frames.recv().await {
            if sink.send(Message::Binary(frame)).await.is_err() {
                return Some(ABNORMAL);
            }
        }
        // The other side may be gone.
        let _ = sink.close().await;
        None
    };
    tokio::select! {
        code = read => code,
        code = write => code,
    }
}
