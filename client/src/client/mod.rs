//! The client: its state, its outputs, and the steps that follow every input.

mod channel_token;
mod connect;
mod deliver;
mod disconnect;
mod dispatch;
mod join;
mod judge;
mod marks;
mod opening;
mod own_entry;
mod page_lifecycle;
mod presence;
mod probe;
mod publish;
mod request_keys;
mod session;
mod signing;
mod subscribe;
mod timeouts;
mod token_refresh;
mod token_renewal;
mod unsubscribe;

pub use publish::Draft;

use crate::{
    ClientError, Config, Entropy, Event, Instant, Now, State, SubscriptionId, Transmit,
    state::{
        backoff::Backoff,
        channel::Channel,
        pause::RetryPlan,
        phase::Phase,
        probe::Probe,
        publishes::Publishes,
        requests::Requests,
        session::{Identity, Session},
        session_requests::SessionRequests,
        sleep_detector::SleepDetector,
        subscription::Subscription,
        timers::{Timer, Timers},
        vec_map::VecMap,
    },
    time::{BackendClock, RelayClock},
};
use sealwire_protocol::{ChannelId, KeyId, Numberings, wire::ToRelay};
use std::collections::VecDeque;

/// A client of one app in one context. The crate's documentation explains how to drive it.
pub struct Client {
    config: Config,
    entropy: Box<dyn Entropy>,
    phase: Phase,
    /// The state that the app knows.
    reported: State,
    backoff: Backoff,
    timers: Timers,
    /// The app, installation and context of the channels.
    identity: Option<Identity>,
    /// The public keys of the functions from the newest session. They outlive it, as the keys of the channels do: a message
    /// that opens meanwhile needs its author.
    signers: Vec<(KeyId, String)>,
    session: Option<Session>,
    session_requests: SessionRequests,
    relay_clock: Option<RelayClock>,
    /// The clock of the last grant.
    backend_clock: Option<BackendClock>,
    channels: VecMap<ChannelId, Channel>,
    subscriptions: VecMap<SubscriptionId, Subscription>,
    publishes: Publishes,
    /// The numbers of the unsigned publications and of the signed ones. A receiver counts the messages of each author apart, so
    /// the two have different sender ids.
    numberings: [Numberings; 2],
    repeated_messages: u32,
    time_requested_at: Option<Instant>,
    /// The app has signed a publication or an entry as this page.
    signs: bool,
    certificate_requested_at: Option<Instant>,
    requests: Requests,
    /// The reason why there is no connection, for calls that time out.
    last_error: Option<ClientError>,
    /// The relay's address, which errors name.
    relay_address: Option<String>,
    /// The relay refused the last session.
    session_was_refused: bool,
    was_connected: bool,
    retry: RetryPlan,
    probe: Probe,
    sleep_detector: SleepDetector,
    last_id: u32,
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event>,
}

impl Client {
    /// Creates a client. It does not connect before the first subscribe or publish.
    #[must_use]
    pub fn new(config: Config, entropy: Box<dyn Entropy>) -> Self {
        Self {
            config,
            entropy,
            phase: Phase::Idle,
            reported: State::Idle,
            backoff: Backoff::default(),
            timers: Timers::default(),
            identity: None,
            signers: Vec::new(),
            session: None,
            session_requests: SessionRequests::default(),
            relay_clock: None,
            backend_clock: None,
            channels: VecMap::default(),
            subscriptions: VecMap::default(),
            publishes: Publishes::default(),
            numberings: Default::default(),
            repeated_messages: 0,
            time_requested_at: None,
            signs: false,
            certificate_requested_at: None,
            requests: Requests::default(),
            last_error: None,
            relay_address: None,
            session_was_refused: false,
            was_connected: false,
            retry: RetryPlan::default(),
            probe: Probe::default(),
            sleep_detector: SleepDetector::default(),
            last_id: 0,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Returns the state of the connection.
    #[must_use]
    pub fn state(&self) -> State {
        self.reported
    }

    /// Returns the number of messages that the client dropped because the relay had delivered them before, under another
    /// position.
    #[must_use]
    pub fn repeated_messages(&self) -> u32 {
        self.repeated_messages
    }

    /// Takes the oldest work item for the transport.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// Takes the oldest event for the app.
    pub fn poll_event(&mut self) -> Option<Event> {
        let mut event = self.events.pop_front()?;
        if let (Some(error), Some(address)) = (event.error_mut(), &self.relay_address) {
            error.name_address(address);
        }
        Some(event)
    }

    /// Returns the time at which [`Self::handle_timeout`] is due. Every input may change it.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.phase.is_closed() {
            return None;
        }
        let subscriptions = self.subscriptions.values().filter_map(Subscription::deadline);
        subscriptions
            .chain(self.channels.values().filter_map(Channel::retry_at))
            .chain(self.subscriptions.values().filter_map(|subscription| subscription.renewal.due_at()))
            .chain(self.token_expiry())
            .chain(self.keys_deadline())
            .chain(self.presence_deadline())
            .chain(self.timers.next())
            .chain(self.requests.deadline())
            .chain(self.suspicion_at())
            .chain(self.publishes.deadline())
            .min()
    }

    /// Closes the client for good. Pending calls fail; events for subscriptions that are not polled yet are dropped.
    pub fn close(&mut self) {
        if self.phase.is_closed() {
            return;
        }
        let is_obsolete = |event: &Event| {
            matches!(
                event,
                Event::Message { .. }
                    | Event::Notice { .. }
                    | Event::DecryptRequested { .. }
                    | Event::VerifyRequested { .. }
                    | Event::SignRequested { .. }
                    | Event::SessionRequested { .. }
                    | Event::TokenRequested { .. }
                    | Event::Standing { .. }
                    | Event::Members { .. }
            )
        };
        self.events.retain(|event| !is_obsolete(event));
        self.disconnect();
        self.fail_calls(&ClientError::closed());
        self.subscriptions.clear();
        self.channels.clear();
        self.session = None;
        self.identity = None;
        self.signers = Vec::new();
        self.phase = Phase::Closed;
        self.report_state(None);
    }

    /// Advances everything that the current state allows. Every input ends with this step.
    fn advance(&mut self, now: Now) {
        if self.phase.is_closed() {
            return;
        }
        if self.needs_connection() {
            self.timers.stop(Timer::Idle);
            if matches!(self.phase, Phase::Idle) {
                self.connect(now);
            }
        } else if matches!(self.phase, Phase::AwaitingRetry) {
            self.go_idle(None);
        } else if !matches!(self.phase, Phase::Idle) && !self.timers.is_set(Timer::Idle) {
            self.timers.set(Timer::Idle, now.instant.after(self.config.idle_close_ms));
        }
        self.resolve_subscriptions();
        self.derive_publish_keys();
        if self.phase.is_connected() {
            self.join_channels(now);
            self.send_entries(now);
            self.send_publishes(now);
        }
        self.report_standings();
    }

    fn needs_connection(&self) -> bool {
        !self.subscriptions.is_empty() || !self.publishes.is_empty() || self.requests.has_unsubscribe_call()
    }

    fn send(&mut self, message: &ToRelay) {
        self.send_bytes(message.to_bytes());
    }

    fn send_bytes(&mut self, bytes: Vec<u8>) {
        if let Some(connection) = self.phase.connection_id() {
            self.transmits.push_back(Transmit::Send { connection, bytes });
        }
    }

    /// Returns the deadline of a request that the client sends now.
    fn request_deadline(&self, now: Now) -> Instant {
        now.instant.after(self.config.request_timeout_ms)
    }

    fn next_id(&mut self) -> u32 {
        next(&mut self.last_id)
    }

    /// Reports the connection's state to the app if it changed or if there is an error.
    fn report_state(&mut self, error: Option<ClientError>) {
        let state = match self.phase.state(self.was_connected) {
            State::Connecting | State::Reconnecting if self.retry.is_paused() => State::Suspended,
            state => state,
        };
        if state != self.reported || error.is_some() {
            self.reported = state;
            self.events.push_back(Event::State { state, error });
        }
    }
}

/// Returns the id behind the last one.
fn next(last_id: &mut u32) -> u32 {
    *last_id = last_id.wrapping_add(1);
    *last_id
}
