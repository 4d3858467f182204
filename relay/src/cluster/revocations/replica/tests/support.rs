//! Relays on a simulated log of revocations, in virtual time.

use super::super::*;
use crate::auth::revocations::Selector;
use sealwire_protocol::{
    Scope, UnixMillis, UnixSeconds,
    tokens::{Keyring, SigningKey},
};
use std::collections::BTreeMap;

pub(super) const NOW: u64 = 1_800_000_000;

/// The log of a simulated broker, which several relays share.
#[derive(Clone, Default)]
pub(super) struct SimulatedLog(Arc<Mutex<SimulatedStream>>);

#[derive(Default)]
pub(super) struct SimulatedStream {
    pub(super) messages: BTreeMap<u64, (String, Vec<u8>)>,
    pub(super) last: u64,
    pub(super) epoch: Option<Epoch>,
    /// The broker's clock, in milliseconds since 1970.
    pub(super) time: u64,
    pub(super) is_down: bool,
    /// The number of operations after which the broker is down.
    pub(super) fails_after: Option<usize>,
    pub(super) capacity: Option<usize>,
    /// A message that another relay writes just before the next replacement.
    pub(super) overtaking: Option<Vec<u8>>,
}

impl SimulatedStream {
    pub(super) fn put(&mut self, name: &str, payload: Vec<u8>) -> u64 {
        self.messages.retain(|_, (known, _)| known != name);
        self.last += 1;
        self.messages.insert(self.last, (name.to_owned(), payload));
        self.last
    }

    pub(super) fn sequence_of(&self, name: &str) -> u64 {
        self.messages.iter().find(|(_, (known, _))| known == name).map_or(0, |(sequence, _)| *sequence)
    }

    pub(super) fn message(&self, sequence: u64) -> Option<LogMessage> {
        let (name, payload) = self.messages.get(&sequence)?.clone();
        Some(LogMessage { sequence, name, payload })
    }
}

impl SimulatedLog {
    pub(super) fn stream(&self) -> std::sync::MutexGuard<'_, SimulatedStream> {
        self.0.lock().unwrap()
    }

    pub(super) fn up(&self) -> Result<std::sync::MutexGuard<'_, SimulatedStream>, LogError> {
        let mut stream = self.stream();
        match &mut stream.fails_after {
            Some(0) => stream.is_down = true,
            Some(left) => *left -= 1,
            None => {}
        }
        if stream.is_down { Err(LogError::Unavailable("down".into())) } else { Ok(stream) }
    }

    /// Loses all contents, as after a restart of all servers. Sequences start again.
    pub(super) fn lose_contents(&self) {
        let time = self.stream().time;
        *self.stream() = SimulatedStream { time, ..SimulatedStream::default() };
    }

    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.stream().messages.values().map(|(name, _)| name.clone()).collect();
        names.sort();
        names
    }
}

impl RevocationLog for SimulatedLog {
    async fn epoch(&self) -> Result<Option<Epoch>, LogError> {
        Ok(self.up()?.epoch)
    }

    async fn start_epoch(&self, id: u64) -> Result<(), LogError> {
        let mut stream = self.up()?;
        let time = UnixMillis(stream.time);
        stream.epoch.get_or_insert(Epoch { id, time });
        stream.last += 1;
        Ok(())
    }

    async fn state(&self) -> Result<LogState, LogError> {
        let stream = self.up()?;
        Ok(LogState { last: stream.last, time: UnixMillis(stream.time) })
    }

    async fn next(&self, from: u64) -> Result<Option<LogMessage>, LogError> {
        let stream = self.up()?;
        let first = stream.messages.range(from..).next();
        Ok(first.and_then(|(sequence, _)| stream.message(*sequence)))
    }

    async fn find(&self, name: EntryName) -> Result<Option<LogMessage>, LogError> {
        let stream = self.up()?;
        Ok(stream.message(stream.sequence_of(&name.to_string())))
    }

    async fn replace(&self, name: EntryName, payload: Vec<u8>, expected: u64) -> Result<u64, LogError> {
        let (mut stream, name) = (self.up()?, name.to_string());
        if let Some(overtaking) = stream.overtaking.take() {
            stream.put(&name, overtaking);
        }
        if stream.sequence_of(&name) != expected {
            return Err(LogError::Conflict);
        }
        if stream.capacity.is_some_and(|capacity| stream.messages.len() >= capacity) && expected == 0 {
            return Err(LogError::Full);
        }
        Ok(stream.put(&name, payload))
    }

    async fn purge(&self, name: EntryName, before: u64) -> Result<(), LogError> {
        let installation = format!("{}.", name.installation);
        let mut stream = self.up()?;
        stream.messages.retain(|sequence, (name, _)| *sequence >= before || !name.starts_with(&installation));
        Ok(())
    }
}

/// A relay with its copy, in virtual time.
pub(super) struct Relay {
    pub(super) replica: Replica<SimulatedLog>,
    pub(super) position: Position,
    pub(super) start: Now,
    /// The time since the start, in milliseconds.
    pub(super) millis: u64,
}

pub(super) fn keys(kids: &[&str]) -> Keyring {
    let mut keyring = Keyring::default();
    for kid in kids {
        let secret = kid.bytes().cycle().take(64).collect();
        keyring.insert("app", SigningKey::new(kid, secret).unwrap()).unwrap();
    }
    keyring
}

impl Relay {
    pub(super) fn new(log: &SimulatedLog) -> Self {
        let (revocations, keys) = (Arc::<Revocations>::default(), Arc::new(SigningKeys::new(keys(&["kid"]))));
        revocations.set_completeness(Completeness::Unread);
        let start = Now { monotonic: Instant::now(), wall: UnixSeconds(NOW).millis() };
        let replica = Replica::new(log.clone(), revocations, keys);
        Self { replica, position: Position::default(), start, millis: 0 }
    }

    pub(super) fn now(&self) -> Now {
        let monotonic = self.start.monotonic + Duration::from_millis(self.millis);
        Now { monotonic, wall: UnixMillis(self.start.wall.0 + self.millis) }
    }

    /// Reads the log, a second after the last time. Returns the number of new revocations.
    pub(super) async fn follow(&mut self) -> Result<usize, LogError> {
        self.millis += 1000;
        self.replica.log.stream().time += 1000;
        let (now, mut new) = (self.now(), Vec::new());
        let followed = self.replica.follow(&mut self.position, now, &mut new).await;
        followed.map(|()| new.len())
    }

    /// Follows until the relay admits sessions.
    pub(super) async fn ready(mut self) -> Self {
        for _ in 0..5 {
            self.follow().await.unwrap();
        }
        assert!(self.replica.revocations.is_complete());
        self
    }

    /// Revokes as an app's caller does.
    pub(super) async fn revoke(&self, selector: &Selector, before: u64) -> Result<(), LogError> {
        let before = UnixSeconds(before);
        self.replica.revocations.add("app", "site", selector, before, self.now()).unwrap();
        self.replica.publish(&SharedRevocation::new("app", "site", selector, before)).await
    }

    /// Returns the time before which the tokens of a selection are revoked; 0 for none.
    pub(super) fn before(&self, selector: &Selector) -> u64 {
        let SharedRevocation { app, installation, selection, .. } =
            SharedRevocation::new("app", "site", selector, UnixSeconds(0));
        let before = self.replica.revocations.before(&app, &installation, &selection);
        before.map_or(0, |before| before.0)
    }
}

pub(super) fn account(id: &str) -> Selector {
    Selector { account: Some(id.to_owned()), context: Scope::default() }
}

pub(super) fn everything() -> Selector {
    Selector { account: None, context: Scope::default() }
}
