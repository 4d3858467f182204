//! A simulated page: its host, its WebSockets and the relay behind them. The tests of the browser client run on it.

use crate::browser::{Client, host::Host};
use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use sealwire_protocol::{
    ChannelAddress, ChannelId, EncryptionKey, Message, Scope, ScopeKeys, SenderId, Stamp, UnixMillis, seal,
    wire::{Position, Publication, Subscribed, ToClient, ToRelay, Welcome},
};
use serde_json::{Value, json};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

/// The JavaScript object of the page: the host, and a record of the calls to it.
const PAGE: &str = r#"
const page = {
  calls: [], states: [], standings: [], openings: [], sockets: [], unhandled: 0, grant,
  host: {
    session(reason) { page.calls.push(reason); return page.session ? page.session() : Promise.resolve(page.grant); },
    connect(url, protocol) {
      if (page.refuses) throw new Error('the policy forbids it');
      const socket = Object.assign(new EventTarget(), {
        url, protocol, readyState: 0, sent: [], closed: null,
        send(bytes) { this.sent.push(new Uint8Array(bytes)); },
        close(code) { this.closed ??= code ?? 1005; },
      });
      page.sockets.push(socket);
      return socket;
    },
    token() {},
    open(opening, ...input) {
      if (page.opensNothing) throw new Error('not offered');
      page.openings.push([opening, ...input.map((bytes) => bytes.slice())]);
    },
    state(state, error) { page.states.push(error ? `${state} ${error.code}` : state); },
  },
};
const noted = (event) => { page.unhandled += 1; event?.preventDefault?.(); };
if (globalThis.process?.on) {
  globalThis.process.removeAllListeners('unhandledRejection');
  globalThis.process.on('unhandledRejection', noted);
} else {
  globalThis.addEventListener('unhandledrejection', noted);
}
return page;
"#;

pub(super) struct Page {
    pub(super) page: Object,
    pub(super) client: Client,
    pub(super) offset: u64,
}

pub(super) fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap()
}

pub(super) fn set(object: &JsValue, name: &str, value: &JsValue) {
    Reflect::set(object, &name.into(), value).unwrap();
}

pub(super) fn js(value: &Value) -> JsValue {
    js_sys::JSON::parse(&value.to_string()).unwrap()
}

pub(super) fn rust(value: &JsValue) -> Value {
    let json = js_sys::JSON::stringify(value).unwrap().as_string();
    json.map_or(Value::Null, |json| serde_json::from_str(&json).unwrap())
}

pub(super) fn function(body: &str) -> Function {
    Function::new_with_args("a, b", body)
}

fn keys() -> ScopeKeys {
    EncryptionKey::new([1; 32]).scope_keys("app", "site", &Scope::default())
}

pub(super) fn channel_id() -> ChannelId {
    let scope = Scope::default();
    ChannelAddress { app: "app", installation: "site", scope: &scope, claims_tag: None, name: "chat" }.id()
}

/// Encodes several messages as one message of the WebSocket.
pub(super) fn batch(messages: &[ToClient]) -> Vec<u8> {
    let frame = |message: &ToClient| {
        let message = message.to_bytes();
        let len = u16::try_from(message.len()).unwrap().to_be_bytes();
        [&[0x82, 126], &len[..], &message].concat()
    };
    messages.iter().flat_map(frame).collect()
}

/// Waits until the pending promises have settled and the timers without a delay have fired.
pub(super) async fn settle() {
    let promise =
        function("return new Promise((resolve) => setTimeout(resolve, 0))").call0(&JsValue::UNDEFINED);
    JsFuture::from(Promise::from(promise.unwrap())).await.unwrap();
}

pub(super) async fn rejected(promise: Promise) -> Value {
    rust(&JsFuture::from(promise).await.unwrap_err())
}

impl Page {
    pub(super) fn open() -> Self {
        Self::open_with(&JsValue::UNDEFINED)
    }

    pub(super) fn open_with(options: &JsValue) -> Self {
        let grant = js(&json!({
            "url": "wss://relay.example/v1/realtime", "token": "a.b.c", "expiresAt": 9_999_999_999_u64,
            "issuedAtMs": 1_800_000_000_000_u64,
            "app": "app", "installation": "site", "context": {},
            "keys": [{ "id": keys().id().to_string(), "scopes": keys().to_text(), "signer": "" }],
        }));
        let page = Function::new_with_args("grant", PAGE).call1(&JsValue::UNDEFINED, &grant).unwrap();
        let page: Object = page.unchecked_into();
        let host: Host = get(&page, "host").unchecked_into();
        let client = Client::new(host, options).unwrap();
        Self { page, client, offset: 10 }
    }

    /// A page with a live subscription, whose callbacks record their arguments in `page.got`.
    pub(super) async fn subscribed() -> (Self, u32) {
        Self::open().subscribe_it().await
    }

    pub(super) async fn subscribe_it(self) -> (Self, u32) {
        let page = self;
        let promise = page.subscribe(&page.recorder("message"));
        page.connect().await;
        page.confirm().await;
        let id = JsFuture::from(promise).await.unwrap().as_f64().unwrap();
        (page, id as u32)
    }

    pub(super) fn recorder(&self, kind: &str) -> Function {
        if get(&self.page, "got").is_undefined() {
            set(&self.page, "got", &Array::new());
        }
        Function::new_with_args("page, kind", "return (...values) => { page.got.push([kind, ...values]); }")
            .call2(&JsValue::UNDEFINED, &self.page, &kind.into())
            .unwrap()
            .unchecked_into()
    }

    /// Records the states of the subscription in `page.standings` and the other notices in `page.got`.
    pub(super) fn notice_recorder(&self) -> Function {
        let recorder = self.recorder("notice");
        let body = "return (notice) => notice.kind === 'state' ? page.standings.push(notice.state) : recorder(notice);";
        Function::new_with_args("page, recorder", body)
            .call2(&JsValue::UNDEFINED, &self.page, &recorder)
            .unwrap()
            .unchecked_into()
    }

    pub(super) fn got(&self) -> Vec<Value> {
        let got = rust(&get(&self.page, "got"));
        set(&self.page, "got", &Array::new());
        got.as_array().unwrap().clone()
    }

    pub(super) fn channel(&self) -> JsValue {
        js(&json!({ "name": "chat" }))
    }

    pub(super) fn subscribe(&self, on_message: &Function) -> Promise {
        let on_notice = self.notice_recorder();
        self.client.subscribe(&self.channel(), &Object::new(), on_message.into(), on_notice.into())
    }

    pub(super) fn socket(&self) -> JsValue {
        let sockets: Array = get(&self.page, "sockets").unchecked_into();
        sockets.get(sockets.length() - 1)
    }

    /// Fires an event of the socket and waits until the client has handled it.
    pub(super) async fn fire(&self, event: &str, ready_state: u8, name: &str, value: &JsValue) {
        set(&self.socket(), "readyState", &ready_state.into());
        let fire = "socket.dispatchEvent(Object.assign(new Event(type), { reason: '', wasClean: true, [name]: value }))";
        let fire = Function::new_with_args("socket, type, name, value", fire);
        let arguments = Array::of4(&self.socket(), &event.into(), &name.into(), value);
        fire.apply(&JsValue::UNDEFINED, &arguments).unwrap();
        settle().await;
    }

    pub(super) async fn receive(&self, message: &ToClient) {
        self.receive_bytes(&message.to_bytes()).await;
    }

    pub(super) async fn receive_bytes(&self, bytes: &[u8]) {
        let bytes = Uint8Array::from(bytes);
        self.fire("message", 1, "data", &bytes.buffer()).await;
    }

    /// The next message that the client sent.
    pub(super) fn sent(&self) -> ToRelay {
        let sent: Array = get(&self.socket(), "sent").unchecked_into();
        let bytes: Uint8Array = sent.shift().unchecked_into();
        ToRelay::from_bytes(bytes.to_vec().into()).unwrap()
    }

    pub(super) async fn connect(&self) {
        settle().await;
        self.fire("open", 1, "data", &JsValue::UNDEFINED).await;
        assert!(matches!(self.sent(), ToRelay::Hello(hello) if hello.token == "a.b.c"));
        self.receive(&ToClient::Welcome(Welcome {
            max_frame: 144 * 1024,
            max_subscriptions: 256,
            heartbeat_ms: 25_000,
            replay_window_ms: 120_000,
            expires_at: 9_999_999_999,
            now_ms: 9_999_000_000_000,
        }))
        .await;
    }

    pub(super) async fn confirm(&self) {
        let ToRelay::Subscribe(subscribe) = self.sent() else { panic!("no subscribe") };
        self.receive(&ToClient::Subscribed(Subscribed {
            request: subscribe.request,
            channel_id: channel_id().into(),
            position: Some(Position { epoch: 10, offset: self.offset, time_ms: 0 }),
            recovered: false,
            replay_end: 0,
        }))
        .await;
    }

    pub(super) async fn publish_to_it(&mut self, payload: &str) {
        let message = self.publication(payload);
        self.receive(&message).await;
    }

    /// The next message on the channel.
    pub(super) fn publication(&mut self, payload: &str) -> ToClient {
        let key = keys().scope_key(&Scope::default()).unwrap().channel_key(None, "chat");
        self.offset += 1;
        let number = u32::try_from(self.offset).unwrap();
        let message = Message {
            sender: SenderId([4; 12]),
            stamp: Stamp { number, confirmed: 0 },
            published_at: UnixMillis(1_800_000_000_077),
            event: "added",
            payload,
            signature: None,
        };
        let sealed = seal(&key, [4; 12], channel_id(), &message).unwrap();
        ToClient::Publication(Publication {
            channel_id: channel_id().into(),
            offset: self.offset,
            previous_offset: self.offset - 1,
            time_ms: 1_800_000_000_123,
            event: "added".into(),
            sealed: sealed.into(),
        })
    }
}
