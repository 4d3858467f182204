//! Drives the sans-I/O client: after every input it carries out what the client wants.
//!
//! No borrow is ever held while JavaScript runs, since JavaScript may call back in at any moment; and what it starts from
//! within a callback is carried out by the loop that is already running, so that callbacks never nest.

use super::{
    arguments,
    callbacks::{Callbacks, Subscriber},
    clock, outputs,
    socket::Socket,
};
use crate::error::from_client;
use gloo_timers::callback::Timeout;
use js_sys::{Function, Promise};
use sealwire_client::{
    Client, ClientError, ConnectionId, Event, FetchId, Instant, Notice, Now, SubscriptionId, Transmit,
};
use sealwire_protocol::AesGcmInput;
use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// Longest time that `setTimeout` takes.
const MAX_TIMEOUT_MS: u64 = i32::MAX as u64;

#[wasm_bindgen]
extern "C" {
    /// What the page provides.
    pub type Host;
    #[wasm_bindgen(method, catch)]
    fn session(this: &Host, reason: &str) -> Result<JsValue, JsValue>;
    /// A WebSocket, or what behaves like one.
    #[wasm_bindgen(method, catch)]
    pub(super) fn connect(this: &Host, url: &str, protocol: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn token(this: &Host, provider: &Function, renewal: u32, fresh: bool) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn open(
        this: &Host,
        opening: u32,
        key: &[u8],
        nonce: &[u8],
        associated_data: &[u8],
        ciphertext: &[u8],
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn state(this: &Host, state: &str, error: &JsValue) -> Result<(), JsValue>;
}

pub(super) struct Shell {
    itself: Weak<Self>,
    host: Host,
    client: RefCell<Client>,
    callbacks: RefCell<Callbacks>,
    socket: RefCell<Option<(ConnectionId, Rc<Socket>)>>,
    timer: RefCell<Option<(Instant, Timeout)>>,
    driving: Cell<bool>,
}

impl Shell {
    pub(super) fn new(host: Host, client: Client) -> Rc<Self> {
        Rc::new_cyclic(|itself| Self {
            itself: Weak::clone(itself),
            host,
            client: RefCell::new(client),
            callbacks: RefCell::default(),
            socket: RefCell::default(),
            timer: RefCell::default(),
            driving: Cell::new(false),
        })
    }

    /// Feeds the client and carries out what follows.
    pub(super) fn input<T>(&self, feed: impl FnOnce(&mut Client, Now) -> T) -> T {
        let now = clock::now();
        let result = feed(&mut self.client.borrow_mut(), now);
        self.drive();
        result
    }

    /// Feeds the client with a call whose promise or callbacks `expect` remembers by the id that the call is given.
    /// `started` is told of the id before anything else happens.
    pub(super) fn call<T: Copy + Into<u32>>(
        &self,
        started: Option<Function>,
        feed: impl FnOnce(&mut Client, Now) -> T,
        expect: impl FnOnce(&mut Callbacks, T),
    ) {
        let now = clock::now();
        let id = feed(&mut self.client.borrow_mut(), now);
        expect(&mut self.callbacks.borrow_mut(), id);
        if let Some(started) = started {
            report(started.call1(&JsValue::UNDEFINED, &id.into().into()).map(drop));
        }
        self.drive();
    }

    pub(super) fn state(&self) -> &'static str {
        outputs::state(self.client.borrow().state())
    }

    /// Ends everything and lets go of every JavaScript object but the host.
    pub(super) fn close(&self) {
        self.callbacks.borrow_mut().clear_subscribers();
        self.input(|client, _| client.close());
        self.timer.take();
        self.socket.take();
    }

    pub(super) fn leave(&self, id: SubscriptionId) {
        self.callbacks.borrow_mut().leave(id);
    }

    fn drive(&self) {
        if self.driving.replace(true) {
            return;
        }
        loop {
            let transmit = self.client.borrow_mut().poll_transmit();
            if let Some(transmit) = transmit {
                self.transmit(transmit);
                continue;
            }
            let event = self.client.borrow_mut().poll_event();
            match event {
                Some(event) => self.tell(event),
                None => break,
            }
        }
        self.driving.set(false);
        self.arm();
    }

    fn transmit(&self, transmit: Transmit) {
        match transmit {
            Transmit::Connect { connection, url } => {
                match Socket::open(&self.host, &url, connection, &self.itself) {
                    Ok(socket) => drop(self.socket.replace(Some((connection, Rc::new(socket))))),
                    // The page's policy may forbid it.
                    Err(thrown) => {
                        let error = arguments::transport_error(&thrown);
                        self.client.borrow_mut().handle_failed(clock::now(), connection, error);
                    }
                }
            }
            Transmit::Send { connection, bytes } => {
                if let Some(socket) = self.socket_of(connection) {
                    socket.send(&bytes);
                }
            }
            Transmit::Disconnect { connection, code } => {
                if let Some(socket) = self.socket_of(connection) {
                    drop(self.socket.take());
                    socket.close(code);
                }
            }
        }
    }

    fn socket_of(&self, connection: ConnectionId) -> Option<Rc<Socket>> {
        let socket = self.socket.borrow();
        socket.as_ref().filter(|(id, _)| *id == connection).map(|(_, socket)| Rc::clone(socket))
    }

    fn tell(&self, event: Event) {
        match event {
            Event::SessionRequested { fetch, reason } => self.fetch_session(fetch, outputs::reason(reason)),
            Event::TokenRequested { renewal, subscription, fresh } => {
                let subscriber = self.callbacks.borrow().subscriber(subscription);
                if let Some(provider) = subscriber.and_then(|subscriber| subscriber.token) {
                    report(self.host.token(&provider, renewal.0, fresh));
                }
            }
            Event::DecryptRequested { decryption, input } => {
                let AesGcmInput { key, nonce, associated_data, ciphertext } = input;
                if self.host.open(decryption.0, &*key, &nonce, &associated_data, &ciphertext).is_err() {
                    self.client.borrow_mut().handle_decrypted(clock::now(), decryption, None);
                }
            }
            Event::SubscribeDone { subscription, result } => {
                if result.is_err() {
                    self.leave(subscription);
                }
                self.settle(subscription.0, result.map(|()| JsValue::from(subscription.0)));
            }
            Event::PublishDone { publish, result } => {
                self.settle(publish.0, result.map(|receipt| outputs::receipt(&receipt)));
            }
            Event::RefreshDone { refresh, result } => {
                self.settle(refresh.0, result.map(|()| JsValue::UNDEFINED))
            }
            Event::UnsubscribeDone { subscription } => {
                let waiting = self.callbacks.borrow_mut().take_unsubscribe(subscription);
                if let Some(deferred) = waiting {
                    deferred.settle(&Ok(JsValue::UNDEFINED));
                }
            }
            Event::Message { subscriptions, message } => {
                let (payload, meta) = (JsValue::from(&message.payload), outputs::meta(&message));
                self.for_each(&subscriptions, |subscriber| {
                    subscriber.on_message.call2(&JsValue::UNDEFINED, &payload, &meta).map(drop)
                });
            }
            Event::Notice { subscriptions, notice } => {
                let object = outputs::notice(&notice);
                self.for_each(&subscriptions, |subscriber| {
                    subscriber.on_notice.call1(&JsValue::UNDEFINED, &object).map(drop)
                });
                if let Notice::Ended(_) = notice {
                    subscriptions.into_iter().for_each(|id| self.leave(id));
                }
            }
            Event::Standing { subscription, standing } => {
                let object = outputs::standing(standing);
                self.for_each(&[subscription], |subscriber| {
                    subscriber.on_notice.call1(&JsValue::UNDEFINED, &object).map(drop)
                });
            }
            Event::State { state, error } => {
                let error = error.as_ref().map_or(JsValue::UNDEFINED, from_client);
                report(self.host.state(outputs::state(state), &error));
            }
            _ => {}
        }
    }

    fn settle(&self, id: u32, result: Result<JsValue, ClientError>) {
        let deferred = self.callbacks.borrow_mut().take(id);
        if let Some(deferred) = deferred {
            deferred.settle(&result.map_err(|error| from_client(&error)));
        }
    }

    fn for_each(&self, subscriptions: &[SubscriptionId], call: impl Fn(&Subscriber) -> Result<(), JsValue>) {
        for id in subscriptions {
            // Looked up one by one: a callback may unsubscribe another.
            let subscriber = self.callbacks.borrow().subscriber(*id);
            if let Some(subscriber) = subscriber {
                report(call(&subscriber));
            }
        }
    }

    /// Asks the page, whose answer may be a promise or not.
    fn fetch_session(&self, fetch: FetchId, reason: &'static str) {
        let promise = match self.host.session(reason) {
            Ok(answer) => Promise::resolve(&answer),
            Err(thrown) => Promise::reject(&thrown),
        };
        let weak = Weak::clone(&self.itself);
        // Listens until the answer comes, however late: a session of an earlier request may still serve. The task holds
        // nothing of a client that was closed meanwhile.
        spawn_local(async move {
            let answer = JsFuture::from(promise).await;
            let Some(shell) = weak.upgrade() else { return };
            let grant = match answer {
                Ok(grant) => arguments::grant(&grant),
                Err(thrown) => Err(arguments::provider_error(&thrown)),
            };
            shell.input(|client, now| match grant {
                Ok(grant) => client.handle_session(now, fetch, grant),
                Err(error) => client.handle_session_failed(now, fetch, error),
            });
        });
    }

    /// Sets the one timer to when the client next wants the time.
    fn arm(&self) {
        let wanted = self.client.borrow().poll_timeout();
        if self.timer.borrow().as_ref().map(|(at, _)| *at) == wanted {
            return;
        }
        let timer = wanted.map(|at| {
            let weak = Weak::clone(&self.itself);
            let wait = at.since(clock::now().instant).min(MAX_TIMEOUT_MS);
            let timeout = Timeout::new(u32::try_from(wait).unwrap_or(u32::MAX), move || {
                if let Some(shell) = weak.upgrade() {
                    drop(shell.timer.take());
                    shell.input(|client, now| client.handle_timeout(now));
                }
            });
            (at, timeout)
        });
        drop(self.timer.replace(timer));
    }
}

/// What a callback of the page throws is the page's: it reaches its error handler and nothing here.
fn report(result: Result<(), JsValue>) {
    if let Err(thrown) = result {
        drop(Promise::reject(&thrown));
    }
}
