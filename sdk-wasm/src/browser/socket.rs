//! One WebSocket of the page, or a place on one that several frames of the page share: it only has to have the same
//! events and methods.
//!
//! `gloo-net` listens. Sending goes to the socket itself, since `gloo-net` would make a Blob of every message.

use super::shell::{Host, Shell};
use futures_util::{Sink as _, StreamExt as _, future::poll_fn};
use gloo_net::websocket::{Message, State, WebSocketError, futures::WebSocket as Incoming};
use sealwire_client::{Client, ConnectionId, Now};
use sealwire_protocol::wire::{Messages, SUBPROTOCOL};
use std::{pin::Pin, rc::Weak};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::WebSocket;

pub(super) struct Socket(WebSocket);

impl Socket {
    /// Opens one; what happens to it is told to `shell`.
    pub(super) fn open(
        host: &Host,
        url: &str,
        connection: ConnectionId,
        shell: &Weak<Shell>,
    ) -> Result<Self, JsValue> {
        let socket: WebSocket = host.connect(url, SUBPROTOCOL)?.unchecked_into();
        let incoming = Incoming::try_from(socket.clone()).map_err(|_| JsValue::UNDEFINED)?;
        spawn_local(Listener { shell: Weak::clone(shell), connection }.listen(incoming));
        Ok(Self(socket))
    }

    pub(super) fn send(&self, bytes: &[u8]) {
        // It throws only where it is not open any more, and then says so with its close event.
        let _ = self.0.send_with_u8_array(bytes);
    }

    /// Closes it. Drop it then: the client knows what it still brings by its number and drops it.
    pub(super) fn close(&self, code: u16) {
        let _ = self.0.close_with_code(code);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Does nothing where it is closed or closing already.
        let _ = self.0.close();
    }
}

struct Listener {
    shell: Weak<Shell>,
    connection: ConnectionId,
}

impl Listener {
    /// Until the socket is closed, or nobody listens any more.
    async fn listen(self, mut incoming: Incoming) {
        let connection = self.connection;
        let _ = poll_fn(|context| Pin::new(&mut incoming).poll_ready(context)).await;
        if matches!(incoming.state(), State::Open) {
            self.tell(|client, now| client.handle_opened(now, connection));
        }
        while let Some(event) = incoming.next().await {
            let told = match event {
                Ok(Message::Bytes(bytes)) => Messages::of(bytes.into()).all(|message| {
                    self.tell(|client, now| client.handle_frame(now, connection, message.ok()))
                }),
                Ok(Message::Text(_)) => self.tell(|client, now| client.handle_frame(now, connection, None)),
                Err(WebSocketError::ConnectionClose(event)) => {
                    self.tell(|client, now| client.handle_closed(now, connection, Some(event.code)))
                }
                // A close event follows.
                Err(_) => true,
            };
            if !told {
                return;
            }
        }
    }

    /// Whether there still is a client.
    fn tell(&self, what: impl FnOnce(&mut Client, Now)) -> bool {
        self.shell.upgrade().map(|shell| shell.input(what)).is_some()
    }
}
