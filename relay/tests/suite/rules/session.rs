//! A session in virtual time with a hub, which the tests of the rules drive.

use crate::support::{App, channel};
use bytes::Bytes;
use sealwire_protocol::{
    CloseCode, Code, UnixMillis, UnixSeconds,
    tokens::{self, ChannelClaims, Keyring, Permissions, SessionClaims},
    wire::{Channel, Goodbye, Hello, Since, Subscribe, Subscribed, ToClient, ToRelay},
};
use sealwire_relay::{
    BrokerError, ChannelName, Hub, HubLimits, Limits, Marks, Now, PresenceAction, Publishing, Refusal,
    Revocations, SessionAction, SessionConfig, SessionRules, Settings, SigningKeys, StallDetector,
    SubscriptionStart,
};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

/// The start of the virtual time, in seconds since 1970.
pub const START: u64 = 1_800_000_000;
pub const HEARTBEAT: Duration = Duration::from_secs(25);
pub const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// A session whose actions are carried out immediately.
pub struct Session {
    pub rules: SessionRules,
    pub hub: Hub,
    pub now: Now,
    pub sent: VecDeque<ToClient>,
    pub audited: Vec<Refusal>,
    /// The changes of presences that the test performs.
    pub presence: Vec<PresenceAction>,
    /// The names of channels for an observer.
    pub named: Vec<ChannelName>,
    pub revocations: Arc<Revocations>,
    pub keys: Arc<SigningKeys>,
    pub stall_detector: Arc<StallDetector>,
    pub marks: Arc<Marks>,
    pub limits: Arc<Limits>,
    pub closed: Option<CloseCode>,
    pub jitter: u32,
    request: u32,
}

impl Session {
    pub fn new() -> Self {
        Self::with_jitter(0)
    }

    pub fn with_jitter(jitter: u32) -> Self {
        let settings = Settings { max_subscriptions: 3, ..Default::default() };
        Self::new_in(Arc::new(Limits::new(settings, Instant::now())), jitter)
    }

    /// Creates a session that shares its limits with other sessions.
    pub fn new_in(limits: Arc<Limits>, jitter: u32) -> Self {
        Self::with_names(limits, jitter, false)
    }

    fn with_names(limits: Arc<Limits>, jitter: u32, names_channels: bool) -> Self {
        let mut keyring = Keyring::default();
        keyring.insert(&App::one().id, App::one().key).unwrap();
        let two = App::new("ari:cloud:ecosystem::app/two", "two", 2);
        keyring.insert(&two.id, two.key).unwrap();
        let revocations = Arc::<Revocations>::default();
        let keys = Arc::new(SigningKeys::new(keyring));
        let stall_detector = Arc::<StallDetector>::default();
        let marks = Arc::<Marks>::default();
        let terms = SessionConfig {
            keys: keys.clone(),
            revocations: revocations.clone(),
            hello_timeout: HELLO_TIMEOUT,
            heartbeat: HEARTBEAT,
            replay_window: Duration::from_secs(120),
            limits: limits.clone(),
            stall_detector: stall_detector.clone(),
            marks: marks.clone(),
            has_presence: true,
            names_channels,
        };
        let now = Now { monotonic: Instant::now(), wall: UnixMillis(START * 1000) };
        let kept = HubLimits { replay_window: terms.replay_window, replay_bytes: 1 << 20 };
        Self {
            rules: SessionRules::new(Arc::new(terms), jitter, now),
            hub: Hub::new(1, kept, now),
            now,
            sent: VecDeque::new(),
            audited: Vec::new(),
            presence: Vec::new(),
            named: Vec::new(),
            revocations,
            keys,
            stall_detector,
            marks,
            limits,
            closed: None,
            jitter,
            request: 0,
        }
    }

    /// Establishes a session with all permissions, which expires after ten minutes.
    /// Opens a session of a relay with an observer.
    pub fn observed() -> Self {
        let limits = Arc::new(Limits::new(Settings::default(), Instant::now()));
        let mut session = Self::with_names(limits, 0, true);
        session.hello(Permissions::ALL, 600);
        session
    }

    pub fn open() -> Self {
        Self::open_with(Permissions::ALL, 600)
    }

    pub fn open_with(can: Permissions, lifetime: u64) -> Self {
        let mut session = Self::new();
        session.hello(can, lifetime);
        session
    }

    /// Establishes a session that shares its limits with other sessions.
    pub fn open_in(limits: Arc<Limits>) -> Self {
        let mut session = Self::new_in(limits, 0);
        session.hello(Permissions::ALL, 600);
        session
    }

    pub fn hello(&mut self, can: Permissions, lifetime: u64) {
        self.send(ToRelay::Hello(Hello { token: session_token("alice", can, START + lifetime) }));
        assert!(matches!(self.sent.pop_front(), Some(ToClient::Welcome(_))));
    }

    /// Passes a message to the rules and carries out the actions.
    pub fn send(&mut self, message: ToRelay) {
        self.send_bytes(message.to_bytes().into());
    }

    pub fn send_bytes(&mut self, frame: Bytes) {
        self.rules.handle_frame(frame, self.now);
        self.act();
    }

    /// Lets time pass and fires every timer on the way.
    pub fn pass(&mut self, span: Duration) {
        let end = self.now.monotonic + span;
        while let Some(at) = self.rules.poll_timeout().filter(|at| *at <= end) {
            self.go_to(at);
            self.rules.handle_timeout(self.now);
            self.act();
        }
        self.go_to(end);
    }

    fn go_to(&mut self, at: Instant) {
        let passed = at.saturating_duration_since(self.now.monotonic);
        self.now.monotonic += passed;
        self.now.wall.0 += u64::try_from(passed.as_millis()).unwrap();
    }

    pub fn act(&mut self) {
        while let Some(action) = self.rules.poll_action() {
            assert_eq!(self.closed, None, "an action follows the close");
            match action {
                SessionAction::Send(message) => self.sent.push_back(message),
                SessionAction::Subscribe { channel, tenant, since, .. } => {
                    let replay = self.hub.subscribe(tenant, channel, since, self.now);
                    self.rules.handle_subscribed(Ok(SubscriptionStart::of(&replay)), self.now);
                }
                SessionAction::Unsubscribe(channel) => self.hub.unsubscribe(channel, self.now),
                SessionAction::Publish(Publishing(draft)) => {
                    let outcome = self.hub.publish(draft, self.now).map_err(BrokerError::from);
                    let accepted = outcome.map(|outcome| outcome.receipt);
                    self.rules.handle_published(accepted.map_err(Into::into));
                }
                SessionAction::Presence(action) => self.presence.push(*action),
                SessionAction::Name(name) => self.named.push(*name),
                SessionAction::Audit(refusal) => self.audited.push(refusal),
                SessionAction::Close(code) => self.closed = Some(code),
            }
        }
    }

    pub fn next_request(&mut self) -> u32 {
        self.request += 1;
        self.request
    }

    /// Returns the only message that was sent.
    pub fn answer(&mut self) -> ToClient {
        let answer = self.sent.pop_front().expect("no message was sent");
        assert!(self.sent.is_empty(), "{:?}", self.sent);
        answer
    }

    pub fn subscribe(&mut self, channel: Channel, since: Option<Since>) -> ToClient {
        let request = self.next_request();
        self.send(ToRelay::Subscribe(Subscribe { request, channel: Some(channel), since, events: vec![] }));
        self.answer()
    }

    pub fn subscribed(&mut self, name: &str) -> Subscribed {
        self.subscribed_to(channel(name))
    }

    pub fn subscribed_to(&mut self, channel: Channel) -> Subscribed {
        match self.subscribe(channel, None) {
            ToClient::Subscribed(subscribed) => subscribed,
            other => panic!("{other:?}"),
        }
    }

    /// Checks that the request was refused with this code and that the session continues.
    pub fn must_refuse(&mut self, code: Code) {
        match self.answer() {
            ToClient::Failed(failed) => {
                assert_eq!(Code::from_number(failed.code), Some(code), "{failed:?}");
                assert!(failed.message.len() > 10);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(self.closed, None);
    }

    /// Returns the last audited refusal.
    pub fn last_audited(&self) -> (&'static str, Code) {
        let refusal = self.audited.last().expect("no refusal was audited");
        (refusal.attempt, refusal.code)
    }

    /// Checks that the session has ended with this code.
    pub fn must_end(&mut self, code: Code) -> Goodbye {
        let Some(ToClient::Goodbye(goodbye)) = self.sent.pop_back() else { panic!("{:?}", self.sent) };
        assert_eq!(Code::from_number(goodbye.code), Some(code), "{goodbye:?}");
        assert!(goodbye.message.len() > 10);
        assert_eq!(self.closed, Some(code.close_code()));
        assert_eq!(self.rules.poll_timeout(), None);
        goodbye
    }
}

pub fn session_token(account: &str, can: Permissions, exp: u64) -> String {
    let claims: SessionClaims = App::one().claims(account, can, (exp - 600, exp));
    tokens::sign(&claims, &App::one().key).unwrap()
}

pub fn channel_token(
    app: &App,
    installation: &str,
    name: &str,
    tag: u8,
    can: Permissions,
    exp: u64,
) -> String {
    let times = (UnixSeconds(exp - 60), UnixSeconds(exp));
    let claims = ChannelClaims::new(app.id.clone(), installation.into(), name.into(), [tag; 32], can, times);
    tokens::sign(&claims, &app.key).unwrap()
}
