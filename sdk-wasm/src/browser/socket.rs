//! One WebSocket of the page, or any object with the same events and methods, such as a slot on a connection that
//! several frames of the page share. The shell opens it and handles its events.
//!
//! A [`Socket`] owns its listeners and removes them when it is dropped, whether or not the JavaScript socket ever fires
//! its close event. Otherwise the listeners would keep the JavaScript socket, and all that it refers to, alive for
//! ever.

use super::arguments;
use js_sys::{ArrayBuffer, Uint8Array};
use sealwire_client::ClientError;
use sealwire_protocol::wire::Messages;
use std::rc::Rc;
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure, prelude::wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    type RawSocket;
    #[wasm_bindgen(method, setter, js_name = binaryType)]
    fn set_binary_type(this: &RawSocket, kind: &str);
    #[wasm_bindgen(method, catch, js_name = addEventListener)]
    fn add_listener(this: &RawSocket, kind: &str, listener: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = removeEventListener)]
    fn remove_listener(this: &RawSocket, kind: &str, listener: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn send(this: &RawSocket, bytes: &[u8]) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn close(this: &RawSocket, code: u16) -> Result<(), JsValue>;

    type RawEvent;
    #[wasm_bindgen(method, getter)]
    fn data(this: &RawEvent) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn code(this: &RawEvent) -> Option<u16>;
    #[wasm_bindgen(method, getter)]
    fn failure(this: &RawEvent) -> JsValue;
}

/// The close code of a normal closure (RFC 6455 section 7.4.1).
const CLOSE_NORMAL: u16 = 1000;

/// An event of the JavaScript socket.
pub(super) enum SocketEvent {
    Opened,
    /// The messages of one binary message of the socket.
    Messages(Messages),
    /// A text message, which the protocol does not have.
    Text,
    /// The socket closed, with the code of its close event.
    Closed(Option<u16>),
    /// The socket closed with an explanation, or could not be opened.
    Failed(ClientError),
}

type Listener = Closure<dyn Fn(RawEvent)>;

pub(super) struct Socket {
    socket: RawSocket,
    listeners: [(&'static str, Listener); 3],
}

impl Socket {
    /// Listens to a socket that the page has begun to open.
    pub(super) fn listen(socket: JsValue, handle: Rc<dyn Fn(SocketEvent)>) -> Result<Self, JsValue> {
        let socket: RawSocket = socket.unchecked_into();
        socket.set_binary_type("arraybuffer");
        let (opened, closed) = (Rc::clone(&handle), Rc::clone(&handle));
        let opened = Closure::new(move |_| opened(SocketEvent::Opened));
        let message = Closure::new(move |event: RawEvent| handle(read_messages(&event)));
        let closed = Closure::new(move |event: RawEvent| closed(read_close(&event)));
        let socket = Self { socket, listeners: [("open", opened), ("message", message), ("close", closed)] };
        for (kind, listener) in &socket.listeners {
            socket.socket.add_listener(kind, listener.as_ref())?;
        }
        Ok(socket)
    }

    pub(super) fn send(&self, bytes: &[u8]) {
        // It throws only if the socket is no longer open. The close event reports that.
        let _ = self.socket.send(bytes);
    }

    /// Closes the socket. The caller then drops it, since the client has no use for its later events.
    pub(super) fn close(&self, code: u16) {
        let _ = self.socket.close(code);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        for (kind, listener) in &self.listeners {
            let _ = self.socket.remove_listener(kind, listener.as_ref());
        }
        // This call has no effect on a socket that is closed or closing.
        let _ = self.socket.close(CLOSE_NORMAL);
    }
}

fn read_messages(event: &RawEvent) -> SocketEvent {
    match event.data().dyn_into::<ArrayBuffer>() {
        Ok(buffer) => SocketEvent::Messages(Messages::of(Uint8Array::new(&buffer).to_vec().into())),
        Err(_) => SocketEvent::Text,
    }
}

fn read_close(event: &RawEvent) -> SocketEvent {
    let failure = event.failure();
    if failure.is_object() {
        SocketEvent::Failed(arguments::transport_error(&failure))
    } else {
        SocketEvent::Closed(event.code())
    }
}
