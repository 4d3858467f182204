//! The client: its state, its outputs, and the work that every input ends with.

mod connect;
mod deliver;
mod dispatch;
pub(crate) mod host_decryption;
mod join;
pub(crate) mod page_lifecycle;
pub(crate) mod publish;
mod session;
mod subscribe;
mod token_refresh;
pub(crate) mod token_renewal;

use crate::{
    ClientError, Config, Entropy, Event, Instant, Now, State, SubscriptionId, Transmit,
    client::connect::Phase,
    client::page_lifecycle::Wake,
    client::publish::Publishes,
    client::session::Sessions,
    state::backoff::Backoff,
    state::channel::{Channel, Wire},
    state::requests::Requests,
    state::session::{Identity, Session},
    state::subscription::Subscription,
    state::timers::{Timer, Timers},
    state::vec_map::Table,
    time::RelayClock,
};
use sealwire_protocol::{ChannelId, wire::ToRelay};
use std::collections::VecDeque;

/// One client of one app in one context. See the crate's documentation.
pub struct Client {
    pub(crate) config: Config,
    pub(crate) entropy: Box<dyn Entropy>,
    pub(crate) phase: Phase,
    pub(crate) shown: State,
    pub(crate) backoff: Backoff,
    pub(crate) timers: Timers,
    /// Who the channels below belong to.
    pub(crate) identity: Option<Identity>,
    pub(crate) session: Option<Session>,
    pub(crate) sessions: Sessions,
    pub(crate) relay_clock: Option<RelayClock>,
    pub(crate) channels: Table<ChannelId, Channel>,
    pub(crate) subscriptions: Table<SubscriptionId, Subscription>,
    pub(crate) publishes: Publishes,
    pub(crate) requests: Requests,
    /// Why there is no connection, for calls that wait for one in vain.
    pub(crate) trouble: Option<ClientError>,
    /// The relay's address, which errors name.
    pub(crate) address: Option<String>,
    /// The relay refused the last session's token.
    pub(crate) refused_before: bool,
    pub(crate) was_connected: bool,
    pub(crate) wake: Wake,
    pub(crate) last_id: u32,
    pub(crate) transmits: VecDeque<Transmit>,
    pub(crate) events: VecDeque<Event>,
}

impl Client {
    /// Connects to nothing before the first subscribe or publish.
    #[must_use]
    pub fn new(config: Config, entropy: Box<dyn Entropy>) -> Self {
        Self {
            config,
            entropy,
            phase: Phase::Idle,
            shown: State::Idle,
            backoff: Backoff::default(),
            timers: Timers::default(),
            identity: None,
            session: None,
            sessions: Sessions::default(),
            relay_clock: None,
            channels: Table::default(),
            subscriptions: Table::default(),
            publishes: Publishes::default(),
            requests: Requests::default(),
            trouble: None,
            address: None,
            refused_before: false,
            was_connected: false,
            wake: Wake::default(),
            last_id: 0,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// What the connection is doing.
    #[must_use]
    pub fn state(&self) -> State {
        self.shown
    }

    /// Work for the transport, oldest first.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// News for the app, oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        let mut event = self.events.pop_front()?;
        if let (Some(error), Some(address)) = (event.error_mut(), &self.address) {
            error.name_address(address);
        }
        Some(event)
    }

    /// When [`Self::handle_timeout`] is due. May move with every input.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if matches!(self.phase, Phase::Closed) {
            return None;
        }
        let subscriptions = self.subscriptions.values().filter_map(Subscription::deadline);
        let retries = self.channels.values().filter_map(|channel| match channel.wire {
            Wire::AwaitingRetry(at) => Some(at),
            _ => None,
        });
        subscriptions
            .chain(retries)
            .chain(self.subscriptions.values().filter_map(|known| known.renewal.at))
            .chain(self.tokens_deadline())
            .chain(self.keys_deadline())
            .chain(self.timers.next())
            .chain(self.requests.deadline())
            .chain(self.doubted_at())
            .chain(self.publishes.deadline())
            .min()
    }

    /// Time has come. Being late or early does no harm.
    pub fn handle_timeout(&mut self, now: Now) {
        let slept = self.has_slept(now);
        if slept {
            self.wait_for_what_came_meanwhile(now);
        }
        while let Some(timer) = self.timers.take_due(now.instant) {
            match timer {
                Timer::Session => self.session_timed_out(now),
                Timer::Welcome => self.welcome_timed_out(now),
                Timer::Silence => self.check_silence(now, slept),
                Timer::Retry => self.connect(now),
                Timer::Refresh => self.refresh_session(now),
                Timer::Idle => self.rest(None),
                Timer::Probe => self.probe_unanswered(now, slept),
                Timer::Watch => self.watch(now),
            }
        }
        self.renew_tokens(now);
        self.expire_tokens(now);
        self.fetch_keys(now);
        self.expire_subscriptions(now);
        self.expire_publishes(now);
        if self.requests.deadline().is_some_and(|deadline| deadline <= now.instant) {
            self.unanswered(now);
        }
        if slept {
            self.look_around(now);
        } else if self.doubted_at().is_some_and(|at| at <= now.instant) {
            self.probe_in_doubt(now);
        }
        self.settle(now);
    }

    /// Ends everything for good. Calls that wait are told; callbacks are not called any more.
    pub fn close(&mut self) {
        if matches!(self.phase, Phase::Closed) {
            return;
        }
        let to_subscribers = |event: &Event| {
            matches!(
                event,
                Event::Message { .. }
                    | Event::Notice { .. }
                    | Event::NeedOpening { .. }
                    | Event::NeedSession { .. }
                    | Event::NeedToken { .. }
                    | Event::Standing { .. }
            )
        };
        self.events.retain(|event| !to_subscribers(event));
        self.disconnect();
        self.fail_waiting(&ClientError::closed());
        self.subscriptions.clear();
        self.channels.clear();
        self.session = None;
        self.identity = None;
        self.phase = Phase::Closed;
        self.show(None);
    }

    /// Does what follows from the state, whichever input changed it.
    pub(crate) fn settle(&mut self, now: Now) {
        if matches!(self.phase, Phase::Closed) {
            return;
        }
        if self.is_wanted() {
            self.timers.stop(Timer::Idle);
            if matches!(self.phase, Phase::Idle) {
                self.connect(now);
            }
        } else if matches!(self.phase, Phase::AwaitingRetry) {
            self.rest(None);
        } else if !matches!(self.phase, Phase::Idle) && !self.timers.is_set(Timer::Idle) {
            self.timers.set(Timer::Idle, now.instant.after(self.config.idle_close_ms));
        }
        self.resolve_subscriptions();
        self.seal_publishes(now);
        if matches!(self.phase, Phase::Live(_)) {
            self.join_channels(now);
            self.send_publishes(now);
        }
        self.show_standings();
    }

    /// Whether anything needs a connection.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.subscriptions.is_empty() || !self.publishes.is_empty() || self.requests.waits_for_unsubscribe()
    }

    pub(crate) fn send(&mut self, message: &ToRelay) {
        if let Some(connection) = self.phase.connection() {
            self.transmits.push_back(Transmit::Send { connection, bytes: message.to_bytes() });
        }
    }

    pub(crate) fn next_id(&mut self) -> u32 {
        self.last_id = self.last_id.wrapping_add(1);
        self.last_id
    }

    /// Tells the app of the state where it changed or something went wrong.
    pub(crate) fn show(&mut self, error: Option<ClientError>) {
        let state = match self.phase.state(self.was_connected) {
            State::Connecting | State::Reconnecting if self.wake.is_paused() => State::Suspended,
            state => state,
        };
        if state != self.shown || error.is_some() {
            self.shown = state;
            self.events.push_back(Event::State { state, error });
        }
    }
}
