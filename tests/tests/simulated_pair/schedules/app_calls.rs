//! Calls of the app: subscribe, unsubscribe, publish, and ending the wait for a publish. The first functions choose random
//! calls, the methods make them and record them in the model.

use super::{
    channels::{self, CHANNELS},
    model::{PublishCall, Stage},
    world::{UNIX_START, World, unix_ms},
};
use sealwire_client::{Author, Draft, PublishId, SubscriptionId};

/// The longest wait of a publish without a limit.
const DEFAULT_TIMEOUT_MS: u64 = 120_000;

/// The options of a publish.
#[derive(Clone, Copy, Default)]
pub(super) struct PublishOptions {
    /// The longest wait.
    pub(super) limit_ms: Option<u64>,
    /// True if the message has an id of the app, which is its number.
    pub(super) has_id: bool,
    /// The number of a message to publish again under the same id.
    pub(super) repeats: Option<u64>,
}

/// Makes the call that this kind of event stands for. Returns false if it stands for none, or the client is asleep.
pub(super) fn call(world: &mut World, client: usize, kind: u64) -> bool {
    match kind {
        0..14 => publish(world, client),
        14..18 if world.is_awake(client) => {
            let channel = world.random.below(CHANNELS as u64) as usize;
            let window = world.conditions.settings.limits.replay_window.as_secs();
            let replay = (world.random.below(2) == 0).then(|| 1 + world.random.below(window) as u32);
            let limit_ms = (world.random.below(3) == 0).then(|| world.random.below(20_000));
            world.subscribe_within(client, channel, replay, limit_ms);
        }
        18..21 if world.is_awake(client) => unsubscribe(world, client),
        _ => return false,
    }
    true
}

/// Publishes up to five messages. Sometimes repeats an earlier message, or ends the wait for one.
pub(super) fn publish(world: &mut World, client: usize) {
    if world.is_awake(client) {
        let (channel, padding) = (world.random.below(CHANNELS as u64), 700 * (world.random.below(4) / 3));
        for _ in 0..=world.random.below(4) {
            let limit_ms = (world.random.below(4) == 0).then(|| world.random.below(30_000));
            // An id identifies the same message under one encryption key only.
            let has_id =
                world.random.below(4) == 0 && world.conditions.keys.len() == 1 && world.lies.is_none();
            let options = PublishOptions { limit_ms, has_id, repeats: None };
            world.publish_within(client, channel as usize, padding as usize, options);
        }
        match world.random.below(8) {
            0 => publish_again(world, client),
            1 => withdraw(world, client),
            _ => {}
        }
    }
}

/// Publishes a message once more under the id that the app gave it.
fn publish_again(world: &mut World, client: usize) {
    let Some(published) = world.model.newest_with_id(client) else { return };
    let (channel, number, padding) = (published.channel, published.number, published.padding);
    if world.conditions.keys.len() == 1 {
        let options = PublishOptions { limit_ms: None, has_id: true, repeats: Some(number) };
        world.publish_within(client, channel, padding, options);
    }
}

fn withdraw(world: &mut World, client: usize) {
    let pending = world.model.pending_publishes(client);
    if !pending.is_empty() {
        let id = pending[world.random.below(pending.len() as u64) as usize];
        world.withdraw(client, id);
    }
}

fn unsubscribe(world: &mut World, client: usize) {
    let mine: Vec<SubscriptionId> = world
        .model
        .subscriptions
        .iter()
        .filter(|((owner, _), subscription)| {
            *owner == client && matches!(subscription.stage, Stage::Pending | Stage::Live)
        })
        .map(|((_, id), _)| *id)
        .collect();
    if !mine.is_empty() {
        let id = mine[world.random.below(mine.len() as u64) as usize];
        world.unsubscribe(client, id);
    }
}

impl World {
    /// Subscribes without a limit to the wait.
    pub(super) fn subscribe(&mut self, client: usize, channel: usize, replay: Option<u32>) -> SubscriptionId {
        self.subscribe_within(client, channel, replay, None)
    }

    /// Subscribes, and waits for at most `limit_ms`. A quarter of the subscriptions that need a token have one that ends
    /// soon and has no token function.
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
        let fixed = (guarded && self.random.below(4) == 0).then(|| 3 + self.random.below(37));
        let seconds = fixed.unwrap_or(self.conditions.token_seconds);
        let spec = channels::spec(channel, &keys, unix_ms(self.now_ms), seconds);
        let id = self.machines[client].core.subscribe_within(now, spec, replay, limit_ms);
        // The lifetime of tokens is in whole seconds.
        let ends = fixed.map(|seconds| (unix_ms(self.now_ms) / 1000 + seconds) * 1000 - UNIX_START);
        self.model.add_subscription(client, id, channel, replay, ends, limit_ms.map(|ms| self.now_ms + ms));
        if guarded && fixed.is_none() {
            self.machines[client].core.enable_token_renewal(now, id);
        }
        self.drain();
        id
    }

    pub(super) fn unsubscribe(&mut self, client: usize, id: SubscriptionId) {
        self.model.mark_unsubscribing(client, id);
        let now = self.client_now(client);
        self.machines[client].core.unsubscribe(now, id);
        self.drain();
    }

    pub(super) fn publish(&mut self, client: usize, channel: usize, padding: usize) -> PublishId {
        self.publish_within(client, channel, padding, PublishOptions::default())
    }

    /// Publishes the next number, or the one that the options name.
    pub(super) fn publish_within(
        &mut self,
        client: usize,
        channel: usize,
        padding: usize,
        options: PublishOptions,
    ) -> PublishId {
        self.numbers += 1;
        let number = options.repeats.unwrap_or(self.numbers);
        let now = self.client_now(client);
        let keys = self.conditions.keys_at(self.now_ms);
        let spec =
            channels::spec(channel, &keys, unix_ms(self.now_ms), self.conditions.token_seconds.max(60));
        let payload = format!("{number}{:padding$}", "");
        let id = options.has_id.then(|| number.to_string());
        // A message that is published again is signed again, or unsigned again.
        let signed = self.machines[client].signs && number.is_multiple_of(2);
        if signed {
            self.authors.insert(number, Author::Page { account: channels::account(client) });
        }
        let draft = Draft { spec, event: String::new(), payload, id, timeout_ms: options.limit_ms, signed };
        let id = self.machines[client].core.publish_draft(now, draft);
        let times_out_at = self.now_ms + options.limit_ms.unwrap_or(DEFAULT_TIMEOUT_MS);
        self.model.add_publish(
            client,
            id,
            PublishCall::new((channel, number, padding), times_out_at, options.has_id),
        );
        self.drain();
        id
    }

    /// Ends the wait for a publish.
    pub(super) fn withdraw(&mut self, client: usize, id: PublishId) {
        self.model.mark_withdrawn(client, id);
        let now = self.client_now(client);
        self.machines[client].core.withdraw_publish(now, id);
        self.drain();
    }

    /// Publishes as the app's resolver, with the newest key.
    pub(super) fn publish_as_app(&mut self, channel: usize) {
        self.numbers += 1;
        self.authors.insert(self.numbers, Author::Function);
        let payload = self.numbers.to_string();
        let newest = self.conditions.keys[0].0;
        let entropy = &mut self.random;
        let (token, publish) =
            channels::publication(channel, newest, unix_ms(self.now_ms), &payload, entropy);
        if let Some(lies) = &mut self.lies {
            lies.witness.sent(&publish, self.now_ms);
        }
        let now = self.relay_now();
        self.relay.publish(token, publish, now);
        self.drain();
    }
}
