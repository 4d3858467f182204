//! Clients, relay, network and the app behind them, on one virtual clock.

use super::{
    channels,
    history::History,
    model::{Model, Published, Stage, Track},
    network::{Arrival, Network, Toward},
    side::{Conditions, Side},
};
use crate::{
    clients::Seeded,
    relay::{Outgoing, Relay},
};
use sealwire_client::{Client, Config, Draft, Instant, PublishId, State, SubscriptionId};
use sealwire_protocol::UnixMillis;
use sealwire_relay::Settings;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant as StdInstant},
};

const UNIX_START: u64 = 1_800_000_000_000;
/// No schedule needs nearly as many; more means that somebody turns in circles.
const MAX_STEPS: usize = 200_000;
/// Sealed bytes, between those of a payload with padding and one without.
const LARGE_FROM: usize = 256;

/// The wait of a publish that sets no limit.
const PUBLISH_MS: u64 = 120_000;

/// The options of a publish.
#[derive(Clone, Copy, Default)]
pub(super) struct Wait {
    pub(super) limit_ms: Option<u64>,
    /// It has an id of the app's own.
    pub(super) has_id: bool,
    /// The number of a message that is published again under the same id.
    pub(super) repeats: Option<u64>,
}

pub(super) struct World {
    start: StdInstant,
    pub(super) now_ms: u64,
    pub(super) random: Seeded,
    pub(super) conditions: Conditions,
    pub(super) relay: Relay,
    pub(super) sides: Vec<Side>,
    pub(super) network: Network,
    pub(super) model: Model,
    numbers: u64,
    /// When the last answer of the app comes that was asked for so far.
    pub(super) last_answer_at: u64,
    steps: usize,
    /// Says what happens, for who replays one schedule.
    pub(super) story: bool,
    /// The first promise that was broken.
    pub(super) broken: Option<String>,
}

impl World {
    pub(super) fn new(clients: usize, conditions: Conditions, mut random: Seeded) -> Self {
        let start = StdInstant::now();
        let epoch = random.next();
        let now = sealwire_relay::Now { monotonic: start, wall: UnixMillis(UNIX_START) };
        let side = |entropy: u64| Side {
            core: Client::new(config(entropy), Box::new(Seeded(entropy))),
            connection: None,
            connects: 0,
            offline: None,
            paused: false,
            asleep_until: 0,
            asleep_since: 0,
            lag_ms: 0,
            clock_stands: false,
            wall_ms: 0,
        };
        Self {
            start,
            now_ms: 0,
            relay: Relay::with(epoch, conditions.settings, now),
            model: Model::new(History::new(conditions.settings.limits, epoch)),
            sides: (0..clients).map(|_| side(random.next())).collect(),
            network: Network::default(),
            conditions,
            random,
            numbers: 0,
            last_answer_at: 0,
            steps: 0,
            story: false,
            broken: None,
        }
    }

    #[allow(clippy::print_stdout, reason = "for who replays a schedule")]
    pub(super) fn say(&self, what: impl FnOnce() -> String) {
        if self.story {
            println!("{:>7} {}", self.now_ms, what());
        }
    }

    pub(super) fn client_now(&self, client: usize) -> sealwire_client::Now {
        let side = &self.sides[client];
        let unix = UnixMillis((UNIX_START + self.now_ms).saturating_add_signed(side.wall_ms));
        sealwire_client::Now { instant: Instant(self.now_ms - side.lag_ms(self.now_ms)), unix }
    }

    pub(super) fn relay_now(&self) -> sealwire_relay::Now {
        let wall = (UNIX_START + self.now_ms).saturating_add_signed(self.conditions.relay_wall_ms);
        let monotonic = self.start + Duration::from_millis(self.now_ms);
        sealwire_relay::Now { monotonic, wall: UnixMillis(wall) }
    }

    pub(super) fn is_awake(&self, client: usize) -> bool {
        self.sides[client].asleep_until <= self.now_ms
    }

    pub(super) fn subscribe(&mut self, client: usize, channel: usize, replay: Option<u32>) -> SubscriptionId {
        self.subscribe_within(client, channel, replay, None)
    }

    pub(super) fn subscribe_within(
        &mut self,
        client: usize,
        channel: usize,
        replay: Option<u32>,
        limit_ms: Option<u64>,
    ) -> SubscriptionId {
        let now = self.client_now(client);
        let keys = self.conditions.keys_at(self.now_ms);
        let guarded = channel == channels::GUARDED;
        // Every fourth has a token without a function, which ends soon.
        let fixed = (guarded && self.random.below(4) == 0).then(|| 3 + self.random.below(37));
        let seconds = fixed.unwrap_or(self.conditions.token_seconds);
        let spec = channels::spec(channel, &keys, unix_ms(self.now_ms), seconds);
        let id = self.sides[client].core.subscribe_within(now, spec, replay, limit_ms);
        // Tokens count in whole seconds.
        let ends = fixed.map(|seconds| (unix_ms(self.now_ms) / 1000 + seconds) * 1000 - UNIX_START);
        self.model.subscribes(client, id, channel, replay, ends, limit_ms.map(|ms| self.now_ms + ms));
        if guarded && fixed.is_none() {
            self.sides[client].core.enable_token_renewal(now, id);
        }
        self.drain();
        id
    }

    pub(super) fn unsubscribe(&mut self, client: usize, id: SubscriptionId) {
        self.model.unsubscribes(client, id);
        let now = self.client_now(client);
        self.sides[client].core.unsubscribe(now, id);
        self.drain();
    }

    pub(super) fn publish(&mut self, client: usize, channel: usize, padding: usize) -> PublishId {
        self.publish_within(client, channel, padding, Wait::default())
    }

    /// Publishes the next number, or the last one again where the wait says that it has an id of the app's own.
    pub(super) fn publish_within(
        &mut self,
        client: usize,
        channel: usize,
        padding: usize,
        wait: Wait,
    ) -> PublishId {
        self.numbers += 1;
        let number = wait.repeats.unwrap_or(self.numbers);
        let now = self.client_now(client);
        let keys = self.conditions.keys_at(self.now_ms);
        let spec =
            channels::spec(channel, &keys, unix_ms(self.now_ms), self.conditions.token_seconds.max(60));
        let payload = format!("{number}{:padding$}", "");
        let id = wait.has_id.then(|| number.to_string());
        let draft = Draft { spec, event: String::new(), payload, id, timeout_ms: wait.limit_ms };
        let id = self.sides[client].core.publish_draft(now, draft);
        let gives_up_at = self.now_ms + wait.limit_ms.unwrap_or(PUBLISH_MS);
        self.model.publishes(
            client,
            id,
            Published::new((channel, number, padding), gives_up_at, wait.has_id),
        );
        self.drain();
        id
    }

    /// The app ends its wait for a publication.
    pub(super) fn withdraw(&mut self, client: usize, id: PublishId) {
        self.model.withdraws(client, id);
        let now = self.client_now(client);
        self.sides[client].core.withdraw_publish(now, id);
        self.drain();
    }

    /// The connection of a client is dead from now on, and neither end hears of it. Whether there was one.
    pub(super) fn silence(&mut self, client: usize) -> bool {
        let side = &self.sides[client];
        let connection = side.connection.filter(|_| side.core.state() == State::Connected);
        let link = connection.and_then(|connection| self.network.link(client, connection));
        let Some(link) = link.filter(|link| self.network.working().contains(link)) else { return false };
        self.network.cut(link, |_| 0);
        true
    }

    /// The app's resolver publishes, under the newest key.
    pub(super) fn publish_as_app(&mut self, channel: usize) {
        self.numbers += 1;
        let payload = self.numbers.to_string();
        let newest = self.conditions.keys[0].0;
        let entropy = &mut self.random;
        let (token, publish) =
            channels::publication(channel, newest, unix_ms(self.now_ms), &payload, entropy);
        let now = self.relay_now();
        self.relay.publish(token, publish, now);
        self.drain();
    }

    /// What the relay admits from now on.
    pub(super) fn limit(&mut self, rates: Option<Settings>) {
        self.relay.limit(rates.clone().unwrap_or_default());
        self.conditions.rates = rates;
    }

    pub(super) fn sleep(&mut self, client: usize, ms: u64, clock_stands: bool) {
        let side = &mut self.sides[client];
        side.lag_ms = side.lag_ms(self.now_ms);
        (side.asleep_since, side.asleep_until) = (self.now_ms, self.now_ms + ms);
        side.clock_stands = clock_stands;
        self.model.stood_ms += if clock_stands { ms } else { 0 };
        self.network.at(self.now_ms + ms, Arrival::Awake);
    }

    pub(super) fn restart_relay(&mut self) {
        let epoch = self.random.next();
        self.relay = Relay::with(epoch, self.conditions.settings, self.relay_now());
        self.relay.limit(self.conditions.rates.clone().unwrap_or_default());
        self.model.history.start_epoch(epoch);
    }

    /// Lets time pass, until it is up or a promise is broken.
    pub(super) fn run(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        while self.broken.is_none()
            && let Some(at) = self.next_moment().filter(|at| *at <= end)
        {
            self.now_ms = self.now_ms.max(at);
            self.step();
        }
        self.now_ms = end;
    }

    fn next_moment(&self) -> Option<u64> {
        let awake = self.sides.iter().filter(|side| side.asleep_until <= self.now_ms);
        let clients =
            awake.filter_map(|side| Some(side.core.poll_timeout()?.0 + side.lag_ms(self.now_ms))).min();
        [self.relay.timeout_ms(self.start), clients, self.network.next()].into_iter().flatten().min()
    }

    fn step(&mut self) {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            self.broken = Some("somebody turns in circles".into());
        }
        while let Some((number, arrival)) = self.network.take_due(self.now_ms) {
            let until = arrival.client(&self.network).map_or(0, |client| self.sides[client].asleep_until);
            if until > self.now_ms {
                self.network.put_off(number, until, arrival);
                continue;
            }
            self.say(|| format!("{arrival:?}"));
            self.arrive(arrival);
            self.drain();
        }
        self.relay.handle_timeout(self.relay_now());
        for client in 0..self.sides.len() {
            let now = self.client_now(client);
            let due = self.sides[client].core.poll_timeout().is_some_and(|at| at <= now.instant);
            if due && self.is_awake(client) {
                self.sides[client].core.handle_timeout(now);
            }
        }
        self.drain();
    }

    pub(super) fn drain(&mut self) {
        for client in 0..self.sides.len() {
            while let Some(transmit) = self.sides[client].core.poll_transmit() {
                self.transmit(client, transmit);
            }
            while let Some(event) = self.sides[client].core.poll_event() {
                self.say(|| format!("client {client}: told {event:?}"));
                if let Err(reason) = self.tell(client, event) {
                    self.broken.get_or_insert(reason);
                }
            }
        }
        for seen in std::mem::take(&mut self.relay.seen) {
            if let Err(reason) = self.model.history.see(self.now_ms, seen) {
                self.broken.get_or_insert(reason);
            }
        }
        for outgoing in self.relay.take_outgoing() {
            let (link, arrival) = match outgoing {
                Outgoing::Message(link, message) => (link, Arrival::AtClient(link, message)),
                Outgoing::Close(link, code) => (link, Arrival::ClosedAtClient(link, Some(code))),
            };
            self.network.send(self.now_ms, link, Toward::Client, arrival);
        }
    }

    /// Whether every client that wants to be is connected, and the relay has exactly the subscriptions that are wanted.
    pub(super) fn is_settled(&self) -> bool {
        let wanted: BTreeSet<_> = self
            .model
            .tracks
            .iter()
            .filter(|(_, track)| track.stage == Stage::Live)
            .map(|((client, _), track)| (*client, track.channel))
            .collect();
        let pending = |track: &Track| matches!(track.stage, Stage::Waiting | Stage::Leaving);
        !self.model.tracks.values().any(pending)
            && self.relay.subscriptions() == wanted.len()
            && wanted.iter().all(|(client, _)| self.sides[*client].core.state() == State::Connected)
    }
}

/// The true time, by which the app signs.
pub(super) fn unix_ms(now_ms: u64) -> u64 {
    UNIX_START + now_ms
}

/// Every other client has its larger messages opened by its platform.
fn config(entropy: u64) -> Config {
    let host_decrypt_threshold = entropy.is_multiple_of(2).then_some(LARGE_FROM);
    Config { host_decrypt_threshold, ..Config::default() }
}
