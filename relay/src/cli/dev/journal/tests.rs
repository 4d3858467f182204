use super::*;
use sealwire_protocol::Scope;
use sealwire_relay::{ChannelName, Entrance};

const NOTES: ChannelId = ChannelId([1; 16]);
const REMOTE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
/// 00:00:00 on some day.
const MIDNIGHT: SystemTime = SystemTime::UNIX_EPOCH;

struct Log {
    lines: Lines,
    now: SystemTime,
}

impl Log {
    fn new() -> Self {
        Self { lines: Lines::new(Paint::with_colours(false), MIDNIGHT), now: MIDNIGHT }
    }

    fn pass(&mut self, span: Duration) {
        self.now += span;
    }

    fn handle(&mut self, activity: Activity<'_>) -> String {
        self.lines.handle(&activity, self.now)
    }

    fn open(&mut self, number: u64, account: &str) -> String {
        let identity = identity(account);
        self.handle(Activity::Opened { session: SessionId(number), identity: &identity, remote: REMOTE })
    }

    fn name(&mut self, name: &str, scope: &[(&str, &str)], has_token: bool) {
        assert_eq!(self.named(name, scope, has_token), "");
    }

    fn named(&mut self, name: &str, scope: &[(&str, &str)], has_token: bool) -> String {
        let mut values = Scope::default();
        scope.iter().for_each(|(property, value)| values.insert(property, value).unwrap());
        let name = ChannelName { channel: NOTES, name: name.to_owned(), scope: values, has_token };
        self.handle(Activity::Named(&name))
    }

    fn subscribe(&mut self, number: u64) -> String {
        self.handle(Activity::Subscribed { session: SessionId(number), channel: NOTES, replayed: 0 })
    }

    fn publish(&mut self, session: Option<u64>) -> String {
        let session = session.map(SessionId);
        self.handle(Activity::Published { session, channel: NOTES, event: "", sealed: 212 })
    }

    fn refuse(&mut self, code: Code) -> String {
        self.handle(Activity::Refused { attempt: "hello", code, identity: None, remote: REMOTE })
    }
}

fn identity(account: &str) -> Identity {
    Identity { app: "dev".into(), installation: "site".into(), account: Some(account.into()) }
}

#[test]
fn sessions_subscriptions_and_messages_are_one_line_each_with_the_names_of_the_app() {
    let mut log = Log::new();
    log.pass(Duration::from_secs(3 * 3600 + 4 * 60 + 5));
    assert_eq!(log.open(1, "ada"), "03:04:05 session 1 opened: account ada, installation site\n");
    log.name("notes", &[("dashboard", "10001")], false);
    assert_eq!(
        log.subscribe(1),
        "03:04:05 channel notes (dashboard 10001): session 1 subscribed, 1 subscriber\n"
    );
    log.open(2, "ben");
    log.subscribe(2);
    assert_eq!(
        log.publish(Some(2)),
        "03:04:05 channel notes (dashboard 10001): 212 sealed bytes from session 2, to 2 subscribers\n"
    );
    assert!(log.publish(None).contains("from a function, to 2 subscribers"));
    let unsubscribed = Activity::Unsubscribed { session: SessionId(2), channel: NOTES };
    assert!(log.handle(unsubscribed).ends_with(": session 2 unsubscribed, 1 subscriber left\n"));
    assert_eq!(log.handle(unsubscribed), "", "a subscription ends once");
    assert!(
        log.handle(Activity::Ended { session: SessionId(1) }).ends_with("session 1 ended: the client left\n")
    );
    assert!(log.publish(Some(2)).ends_with("to 0 subscribers\n"), "an ended session receives nothing");
}

#[test]
fn members_that_enter_break_off_return_and_leave_are_one_line_each() {
    const ADA: [u8; 16] = [3; 16];
    let (channel, grace) = (NOTES, Duration::from_secs(15));
    let entered = |session, entrance| {
        let session = SessionId(session);
        Activity::PresenceEntered { session, channel, member: ADA, entrance, sealed: 60 }
    };
    let mut log = Log::new();
    log.open(1, "ada");
    log.name("notes", &[("dashboard", "10001")], false);
    let mut line = |activity| {
        let text = log.handle(activity);
        let line = text.strip_prefix("00:00:00 presence notes (dashboard 10001): ").map(str::trim_end);
        line.unwrap_or_else(|| panic!("{text:?}")).to_owned()
    };
    assert_eq!(line(entered(1, Entrance::New)), "session 1 entered with 60 sealed bytes, 1 member");
    assert_eq!(line(entered(1, Entrance::Updated)), "session 1 updated its entry, 60 sealed bytes, 1 member");
    let broken = Activity::PresenceBroken { channel, member: ADA, grace };
    assert_eq!(line(broken), "the member of session 1 lost its connection, and has 15s to return");
    assert_eq!(
        line(entered(2, Entrance::Returned)),
        "session 2 returned as the member of session 1, 1 member"
    );
    let left = Activity::PresenceLeft { channel, member: ADA };
    assert_eq!(line(left), "session 2 left, 0 members");
    line(entered(3, Entrance::New));
    line(broken);
    assert_eq!(line(left), "the member of session 3 left after its grace time, 0 members");
    assert_eq!(log.handle(left), "", "a member leaves once");
}

#[test]
fn a_flood_of_updates_is_counted_and_the_number_of_members_stays_right() {
    let mut log = Log::new();
    log.name("notes", &[], false);
    let enter = |number: u8| Activity::PresenceEntered {
        session: SessionId(number.into()),
        channel: NOTES,
        member: [number; 16],
        entrance: Entrance::New,
        sealed: 60,
    };
    let shown = (1..=100).filter(|number| !log.handle(enter(*number)).is_empty()).count();
    assert_eq!(shown, 20);
    log.pass(Duration::from_secs(1));
    let next = log.handle(enter(101));
    assert!(next.starts_with("00:00:01 80 more lines about messages, presence and refusals\n"), "{next}");
    assert!(next.ends_with("session 101 entered with 60 sealed bytes, 101 members\n"), "{next}");
}

#[test]
fn a_presence_that_is_not_permitted_has_its_own_hint() {
    let mut log = Log::new();
    let refused = |attempt| Activity::Refused {
        attempt,
        code: Code::PermissionMissing,
        identity: None,
        remote: REMOTE,
    };
    let line = log.handle(refused("presence"));
    assert!(line.contains("hint: presence has its own permission: return { presence: true }"), "{line}");
    let line = log.handle(refused("subscribe"));
    assert!(line.contains("hint: the session or the channel token does not permit this"), "{line}");
}

#[test]
fn tags_of_an_app_with_blind_names_are_explained_once() {
    let mut log = Log::new();
    log.name("notes", &[], false);
    let hint = log.named("~t1.AAAA", &[("dashboard", "~t1.BBBB")], false);
    assert_eq!(
        hint,
        "         hint: the app has blindNames, so this relay sees tags (~t1.…) in place of names: \
         realtime.nameOf() of the app reads them\n"
    );
    log.name("~t1.CCCC", &[], false);
    log.open(1, "ada");
    log.name("~t1.AAAA", &[("dashboard", "~t1.BBBB")], false);
    assert!(log.subscribe(1).contains("channel ~t1.AAAA (dashboard ~t1.BBBB): session 1 subscribed"));
}

#[test]
fn a_channel_of_the_installation_and_one_with_claims_are_told_apart() {
    let mut log = Log::new();
    log.open(1, "ada");
    log.name("notes", &[], false);
    assert!(log.subscribe(1).contains("channel notes (whole installation):"));
    log.name("notes", &[("board", "7"), ("project", "8")], true);
    assert!(log.subscribe(1).contains("channel notes (board 7, project 8, with claims):"));
}

#[test]
fn a_refusal_has_a_hint_which_is_not_repeated_for_some_seconds() {
    let mut log = Log::new();
    let first = log.refuse(Code::TokenUnknownKey);
    assert!(
        first.starts_with("00:00:00 TOKEN_UNKNOWN_KEY of a client at 127.0.0.1 refused (hello)\n"),
        "{first}"
    );
    assert!(first.contains("\n         hint: the app signs with another key"), "{first}");
    assert_eq!(log.refuse(Code::TokenUnknownKey).lines().count(), 1);
    assert_eq!(log.refuse(Code::ScopeRefused).lines().count(), 2, "another code has its own hint");
    log.pass(HINT_PAUSE);
    assert_eq!(log.refuse(Code::TokenUnknownKey).lines().count(), 2);
}

#[test]
fn a_session_that_the_relay_ends_has_the_reason() {
    let mut log = Log::new();
    log.open(1, "ada");
    let (session, code) = (SessionId(1), Some(Code::SlowConsumer));
    assert_eq!(log.handle(Activity::Goodbye { session, code }), "");
    let ended = log.handle(Activity::Ended { session });
    assert!(ended.starts_with("00:00:00 session 1 ended: SLOW_CONSUMER\n         hint: "), "{ended}");
}

#[test]
fn a_flood_of_messages_and_refusals_is_counted_and_sessions_are_still_shown() {
    let mut log = Log::new();
    log.open(1, "ada");
    log.name("notes", &[], false);
    let shown = (0..100).filter(|_| !log.publish(Some(1)).is_empty()).count();
    assert_eq!(shown, 20);
    assert_eq!(log.refuse(Code::RateLimited), "");
    assert!(!log.open(2, "ben").is_empty());
    assert_eq!(log.lines.rotate(log.now), "", "the second is not over");
    log.pass(Duration::from_secs(1));
    assert_eq!(log.lines.rotate(log.now), "00:00:01 81 more lines about messages, presence and refusals\n");
    assert_eq!(log.lines.rotate(log.now), "", "they are reported once");
    assert!(!log.publish(Some(1)).is_empty());
}

#[test]
fn texts_of_clients_cannot_change_the_terminal_or_forge_a_line() {
    let mut log = Log::new();
    let opened = log.open(1, "a\u{1b}[2J\n00:00:00 session 9");
    log.name("n\r\u{202e}", &[("board", "7\u{7}")], false);
    for line in [opened, log.subscribe(1)] {
        assert_eq!(line.lines().count(), 1, "{line:?}");
        let is_plain = |char: char| !char.is_control() && char != '\u{202e}';
        assert!(line.trim_end().chars().all(is_plain), "{line:?}");
    }
}

#[test]
fn nothing_is_logged_after_the_end() {
    let mut log = Log::new();
    log.open(1, "ada");
    assert_eq!(log.lines.close(MIDNIGHT), "00:00:00 the relay ends\n");
    assert_eq!(log.handle(Activity::Ended { session: SessionId(1) }), "");
}

#[test]
fn colours_are_escape_sequences_that_can_be_turned_off() {
    for is_on in [true, false] {
        let mut lines = Lines::new(Paint::with_colours(is_on), MIDNIGHT);
        let identity = identity("ada");
        let opened = Activity::Opened { session: SessionId(1), identity: &identity, remote: REMOTE };
        let refused =
            Activity::Refused { attempt: "hello", code: Code::TokenApp, identity: None, remote: REMOTE };
        for activity in [opened, refused] {
            assert_eq!(lines.handle(&activity, MIDNIGHT).contains('\u{1b}'), is_on);
        }
    }
}
