//! Drives the sans-I/O client: after every input, the shell carries out the transmits and events of the client.
//!
//! The shell holds no borrow while JavaScript runs, since JavaScript may call back in at any moment. A call from within
//! a callback is carried out by the loop that is already running, so that callbacks never nest.

mod host_requests;

use super::{
    arguments,
    callbacks::{Callbacks, Subscriber},
    clock,
    host::Host,
    outputs,
    socket::{Socket, SocketEvent},
};
use crate::error::from_client;
use gloo_timers::callback::Timeout;
use js_sys::{Function, Promise};
use sealwire_client::{
    Client, ClientError, ConnectionId, Event, Instant, Notice, Now, SubscriptionId, Transmit,
};
use sealwire_protocol::wire::SUBPROTOCOL;
use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};
use wasm_bindgen::JsValue;

/// The longest delay that `setTimeout` accepts.
const MAX_TIMEOUT_MS: u64 = i32::MAX as u64;

/// Connects the client to the page, its socket and one timer.
pub(super) struct Shell {
    itself: Weak<Self>,
    host: Host,
    client: RefCell<Client>,
    callbacks: RefCell<Callbacks>,
    socket: RefCell<Option<(ConnectionId, Rc<Socket>)>>,
    timer: RefCell<Option<(Instant, Timeout)>>,
    driving: Cell<bool>,
    remembered: RefCell<outputs::Remembered>,
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
            remembered: RefCell::default(),
        })
    }

    /// Feeds the client with an input and carries out the actions that follow from it.
    pub(super) fn input<T>(&self, feed: impl FnOnce(&mut Client, Now) -> T) -> T {
        let now = clock::now();
        let result = feed(&mut self.client.borrow_mut(), now);
        self.drive();
        result
    }

    /// Feeds the client with a call. `expect` stores the promise or the callbacks under the id that the client gave to
    /// the call. `started` receives the id before any other callback runs.
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

    pub(super) fn repeated_messages(&self) -> u32 {
        self.client.borrow().repeated_messages()
    }

    /// Closes the client and releases every JavaScript object except the host.
    pub(super) fn close(&self) {
        self.callbacks.borrow_mut().clear_subscribers();
        self.input(|client, _| client.close());
        self.timer.take();
        self.socket.take();
    }

    pub(super) fn remove_subscriber(&self, id: SubscriptionId) {
        self.callbacks.borrow_mut().remove_subscriber(id);
    }

    /// Carries out transmits and events until the client has none left, then sets the timer.
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
                Some(event) => self.handle_event(event),
                None => break,
            }
        }
        self.driving.set(false);
        self.arm();
    }

    fn transmit(&self, transmit: Transmit) {
        match transmit {
            Transmit::Connect { connection, url } => self.connect(connection, &url),
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

    fn connect(&self, connection: ConnectionId, url: &str) {
        let shell = Weak::clone(&self.itself);
        let handle = Rc::new(move |event| handle_socket_event(&shell, connection, event));
        match self.host.connect(url, SUBPROTOCOL).and_then(|socket| Socket::listen(socket, handle)) {
            Ok(socket) => drop(self.socket.replace(Some((connection, Rc::new(socket))))),
            // The page's policy may forbid the connection.
            Err(thrown) => {
                let error = arguments::transport_error(&thrown);
                self.client.borrow_mut().handle_failed(clock::now(), connection, error);
            }
        }
    }

    fn socket_of(&self, connection: ConnectionId) -> Option<Rc<Socket>> {
        let socket = self.socket.borrow();
        socket.as_ref().filter(|(id, _)| *id == connection).map(|(_, socket)| Rc::clone(socket))
    }

    fn handle_event(&self, event: Event) {
        match event {
            Event::SessionRequested { .. }
            | Event::TokenRequested { .. }
            | Event::DecryptRequested { .. }
            | Event::VerifyRequested { .. }
            | Event::SignRequested { .. } => self.ask_host(event),
            Event::SubscribeDone { subscription, result } => {
                if result.is_err() {
                    self.remove_subscriber(subscription);
                }
                self.settle(subscription.0, result.map(|()| JsValue::from(subscription.0)));
            }
            Event::PublishDone { publish, result } => {
                self.settle(publish.0, result.map(|receipt| outputs::receipt(&receipt)));
            }
            Event::RefreshDone { refresh, result } => {
                self.settle(refresh.0, result.map(|()| JsValue::UNDEFINED))
            }
            Event::EnterDone { enter, result } => self.settle(enter.0, result.map(|()| JsValue::UNDEFINED)),
            Event::Members { subscriptions, changed, left } => {
                self.deliver_rows(&subscriptions, &outputs::members(&changed, &left));
            }
            Event::UnsubscribeDone { subscription } => self.settle_unsubscribe(subscription),
            Event::Message { subscriptions, message } => {
                let meta = outputs::meta(&message, &mut self.remembered.borrow_mut());
                let payload = JsValue::from(&message.payload);
                self.for_each(&subscriptions, |subscriber| {
                    subscriber.on_message.call2(&JsValue::UNDEFINED, &payload, &meta).map(drop)
                });
            }
            Event::Notice { subscriptions, notice } => {
                self.notify(&subscriptions, &outputs::notice(&notice));
                if let Notice::Ended(_) = notice {
                    subscriptions.into_iter().for_each(|id| self.remove_subscriber(id));
                }
            }
            Event::Standing { subscription, standing } => {
                self.notify(&[subscription], &outputs::standing(standing));
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

    fn settle_unsubscribe(&self, id: SubscriptionId) {
        let deferred = self.callbacks.borrow_mut().take_unsubscribe(id);
        if let Some(deferred) = deferred {
            deferred.settle(&Ok(JsValue::UNDEFINED));
        }
    }

    fn notify(&self, subscriptions: &[SubscriptionId], notice: &JsValue) {
        self.for_each(subscriptions, |subscriber| {
            subscriber.on_notice.call1(&JsValue::UNDEFINED, notice).map(drop)
        });
    }

    /// Passes the rows of members to the subscribers of a presence.
    fn deliver_rows(&self, subscriptions: &[SubscriptionId], rows: &JsValue) {
        self.for_each(subscriptions, |subscriber| {
            subscriber.on_message.call1(&JsValue::UNDEFINED, rows).map(drop)
        });
    }

    fn for_each(&self, subscriptions: &[SubscriptionId], call: impl Fn(&Subscriber) -> Result<(), JsValue>) {
        for id in subscriptions {
            // Each subscriber is looked up just before its call, since a callback may unsubscribe another subscriber.
            let subscriber = self.callbacks.borrow().subscriber(*id);
            if let Some(subscriber) = subscriber {
                report(call(&subscriber));
            }
        }
    }

    /// Requests a session from the page, which returns one or a promise of one.
    /// Sets the only timer to the next deadline of the client.
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

/// Feeds the client with an event of its socket, unless the client no longer exists.
fn handle_socket_event(shell: &Weak<Shell>, connection: ConnectionId, event: SocketEvent) {
    let Some(shell) = shell.upgrade() else { return };
    shell.input(|client, now| match event {
        SocketEvent::Opened => client.handle_opened(now, connection),
        SocketEvent::Messages(messages) => {
            messages.for_each(|message| client.handle_frame(now, connection, message.ok()));
        }
        SocketEvent::Text => client.handle_frame(now, connection, None),
        SocketEvent::Closed(code) => client.handle_closed(now, connection, code),
        SocketEvent::Failed(error) => client.handle_failed(now, connection, error),
    });
}

/// Passes an exception of the page's callback to the page's handler of unhandled rejections. The client is unaffected.
fn report(result: Result<(), JsValue>) {
    if let Err(thrown) = result {
        drop(Promise::reject(&thrown));
    }
}
