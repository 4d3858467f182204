//! One WebSocket of the page, or a place on one that several frames of the page share: it only has to have the same
//! events and methods.
//!
//! The listeners belong to this value and go with it, whether or not the socket ever says that it is closed: whatever they
//! would keep alive, such as the socket's own object, would otherwise stay for ever.

use super::{
    arguments,
    shell::{Host, Shell},
};
use js_sys::{ArrayBuffer, Uint8Array};
use sealwire_client::{Client, ConnectionId, Now};
use sealwire_protocol::wire::{Messages, SUBPROTOCOL};
use std::rc::Weak;
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure, prelude::wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    type RawSocket;
    #[wasm_bindgen(method, setter, js_name = binaryType)]
    fn set_binary_type(this: &RawSocket, kind: &str);
    #[wasm_bindgen(method, catch, js_name = addEventListener)]
    fn listen(this: &RawSocket, kind: &str, listener: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = removeEventListener)]
    fn ignore(this: &RawSocket, kind: &str, listener: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn send(this: &RawSocket, bytes: &[u8]) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn close(this: &RawSocket, code: u16) -> Result<(), JsValue>;

    type SocketEvent;
    #[wasm_bindgen(method, getter)]
    fn data(this: &SocketEvent) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn code(this: &SocketEvent) -> Option<u16>;
    #[wasm_bindgen(method, getter)]
    fn failure(this: &SocketEvent) -> JsValue;
}

/// The code of an end that nobody gave another one.
const NORMAL: u16 = 1000;

type Listener = Closure<dyn Fn(SocketEvent)>;

pub(super) struct Socket {
    socket: RawSocket,
    listeners: [(&'static str, Listener); 3],
}

impl Socket {
    /// Opens one; what happens to it is told to `shell`.
    pub(super) fn open(
        host: &Host,
        url: &str,
        connection: ConnectionId,
        shell: &Weak<Shell>,
    ) -> Result<Self, JsValue> {
        let socket: RawSocket = host.connect(url, SUBPROTOCOL)?.unchecked_into();
        socket.set_binary_type("arraybuffer");
        let ear = Ear { shell: Weak::clone(shell), connection };
        let listeners = [("open", ear.opened()), ("message", ear.messages()), ("close", ear.closed())];
        let socket = Self { socket, listeners };
        for (kind, listener) in &socket.listeners {
            socket.socket.listen(kind, listener.as_ref())?;
        }
        Ok(socket)
    }

    pub(super) fn send(&self, bytes: &[u8]) {
        // It throws only where it is not open any more, and then says so with its close event.
        let _ = self.socket.send(bytes);
    }

    /// Closes it. Drop it then: the client has no use for anything that it still brings.
    pub(super) fn close(&self, code: u16) {
        let _ = self.socket.close(code);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        for (kind, listener) in &self.listeners {
            let _ = self.socket.ignore(kind, listener.as_ref());
        }
        // Does nothing where it is closed or closing already.
        let _ = self.socket.close(NORMAL);
    }
}

#[derive(Clone)]
struct Ear {
    shell: Weak<Shell>,
    connection: ConnectionId,
}

impl Ear {
    fn opened(&self) -> Listener {
        let ear = self.clone();
        Closure::new(move |_| ear.tell(|client, now| client.handle_opened(now, ear.connection)))
    }

    fn messages(&self) -> Listener {
        let ear = self.clone();
        Closure::new(move |event: SocketEvent| match event.data().dyn_into::<ArrayBuffer>() {
            Ok(buffer) => {
                for message in Messages::of(Uint8Array::new(&buffer).to_vec().into()) {
                    ear.tell(|client, now| client.handle_frame(now, ear.connection, message.ok()));
                }
            }
            // A text is no message of the protocol.
            Err(_) => ear.tell(|client, now| client.handle_frame(now, ear.connection, None)),
        })
    }

    fn closed(&self) -> Listener {
        let ear = self.clone();
        Closure::new(move |event: SocketEvent| {
            let failure = event.failure();
            ear.tell(|client, now| {
                if failure.is_object() {
                    client.handle_failed(now, ear.connection, arguments::transport_error(&failure));
                } else {
                    client.handle_closed(now, ear.connection, event.code());
                }
            });
        })
    }

    /// Nothing, where there is no client any more.
    fn tell(&self, what: impl FnOnce(&mut Client, Now)) {
        if let Some(shell) = self.shell.upgrade() {
            shell.input(what);
        }
    }
}
