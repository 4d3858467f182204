//! One WebSocket of the page.
//!
//! `web-sys` and not `gloo-net`, whose type sends binary messages as Blobs, tells of no opening, gives its close code up
//! when it is split for reading and writing, and panics where the page's environment lacks `CloseEvent`.

use super::shell::{Host, Shell};
use bytes::Bytes;
use js_sys::{ArrayBuffer, Uint8Array};
use sealwire_client::ConnectionId;
use sealwire_protocol::wire::SUBPROTOCOL;
use std::rc::Weak;
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

pub(super) struct Socket {
    websocket: WebSocket,
    _on_open: Closure<dyn FnMut()>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    /// Opens one; what happens to it is told to `shell`.
    pub(super) fn open(
        host: &Host,
        url: &str,
        connection: ConnectionId,
        shell: &Weak<Shell>,
    ) -> Result<Self, JsValue> {
        // Only its shape matters: it may be a place on a WebSocket that several frames of the page share.
        let websocket: WebSocket = host.connect(url, SUBPROTOCOL)?.unchecked_into();
        websocket.set_binary_type(BinaryType::Arraybuffer);

        let weak = Weak::clone(shell);
        let on_open = Closure::new(move || {
            if let Some(shell) = weak.upgrade() {
                shell.input(|client, now| client.handle_opened(now, connection));
            }
        });
        let weak = Weak::clone(shell);
        let on_message = Closure::new(move |event: MessageEvent| {
            if let Some(shell) = weak.upgrade() {
                let frame = binary(&event.data());
                shell.input(|client, now| client.handle_frame(now, connection, frame));
            }
        });
        let weak = Weak::clone(shell);
        let on_close = Closure::new(move |event: CloseEvent| {
            if let Some(shell) = weak.upgrade() {
                let code = event.code();
                shell.input(|client, now| client.handle_closed(now, connection, Some(code)));
            }
        });
        websocket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        websocket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        websocket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Ok(Self { websocket, _on_open: on_open, _on_message: on_message, _on_close: on_close })
    }

    pub(super) fn send(&self, bytes: &[u8]) {
        // It throws only where it is not open any more, and then says so with its close event.
        let _ = self.websocket.send_with_u8_array(bytes);
    }

    /// Closes it. Drop it then: what it still brings is not wanted.
    pub(super) fn close(&self, code: u16) {
        let _ = self.websocket.close_with_code(code);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.websocket.set_onopen(None);
        self.websocket.set_onmessage(None);
        self.websocket.set_onclose(None);
        // Does nothing where it is closed or closing already.
        let _ = self.websocket.close();
    }
}

fn binary(data: &JsValue) -> Option<Bytes> {
    let buffer = data.dyn_ref::<ArrayBuffer>()?;
    Some(Uint8Array::new(buffer).to_vec().into())
}
