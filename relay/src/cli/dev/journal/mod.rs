//! The log of `dev`: one line for each session, subscription, message, change of presence and refusal, and a hint to each
//! kind of refusal.

mod presence;
#[cfg(test)]
mod tests;

use super::{
    hints::{hint, hint_to},
    names::{Names, plain},
    pace::Pace,
    paint::Paint,
};
use sealwire_protocol::{ChannelId, Code, NAME_TAG_PREFIX};
use sealwire_relay::{Activity, ChannelName, Identity, Observer, Output, SessionId};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The time for which a hint is not repeated.
const HINT_PAUSE: Duration = Duration::from_secs(10);
/// The time for which the end of the process waits for the last lines.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);
/// The indentation of a hint: that of a line behind its time.
const INDENT: &str = "         ";

/// Writes the activity of a relay to standard output.
pub(super) struct Journal {
    lines: Mutex<Lines>,
    output: Output,
}

impl Journal {
    pub(super) fn new(output: Output, paint: Paint) -> Self {
        Self { lines: Mutex::new(Lines::new(paint, SystemTime::now())), output }
    }

    /// Reports the number of lines that the last second left out.
    pub(super) fn tick(&self, now: SystemTime) {
        let text = self.lines().rotate(now);
        self.output.write(text.as_bytes());
    }

    /// Ends the log: the sessions that the shutdown ends are no news.
    pub(super) fn close(&self) {
        let text = self.lines().close(SystemTime::now());
        self.output.write(text.as_bytes());
    }

    /// Waits a moment until everything is written.
    pub(super) fn finish(&self) {
        self.output.flush(FLUSH_TIMEOUT);
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Journal {
    fn observe(&self, activity: &Activity<'_>) {
        let mut lines = self.lines();
        let text = lines.handle(activity, SystemTime::now());
        // Written under the lock, so that the lines keep their order.
        self.output.write(text.as_bytes());
    }
}

/// The state of the log. Time is an argument.
struct Lines {
    names: Names,
    pace: Pace,
    /// The time at which each hint was given last.
    hinted: HashMap<&'static str, SystemTime>,
    /// True once the log has explained the tags of an app with blind names.
    has_explained_tags: bool,
    paint: Paint,
    is_closed: bool,
}

impl Lines {
    fn new(paint: Paint, now: SystemTime) -> Self {
        Self {
            names: Names::default(),
            pace: Pace::new(now),
            hinted: HashMap::new(),
            has_explained_tags: false,
            paint,
            is_closed: false,
        }
    }

    /// Returns the lines about an activity; none for those that only carry a name.
    fn handle(&mut self, activity: &Activity<'_>, now: SystemTime) -> String {
        let mut text = self.rotate(now);
        if self.is_closed {
            return text;
        }
        text += &match *activity {
            Activity::Opened { session, identity, .. } => self.opened(session, identity, now),
            Activity::Goodbye { session, code } => self.goodbye(session, code),
            Activity::Ended { session } => self.ended(session, now),
            Activity::Named(name) => {
                self.names.name(name);
                self.explain_tags(name)
            }
            Activity::Subscribed { session, channel, replayed } => {
                self.subscribed(session, channel, replayed, now)
            }
            Activity::Unsubscribed { session, channel } => self.unsubscribed(session, channel, now),
            Activity::Published { session, channel, event, sealed } => {
                self.published(session, channel, event, sealed, now)
            }
            Activity::PresenceEntered { session, channel, member, entrance, sealed } => {
                self.entered(session, (channel, member), entrance, sealed, now)
            }
            Activity::PresenceBroken { channel, member, grace } => self.broke(channel, member, grace, now),
            Activity::PresenceLeft { channel, member } => self.left(channel, member, now),
            Activity::Refused { attempt, code, identity, remote } => {
                self.refused(attempt, code, identity, remote, now)
            }
            _ => String::new(),
        };
        text
    }

    /// Returns the line about the lines that were left out, once a second.
    fn rotate(&mut self, now: SystemTime) -> String {
        match self.pace.rotate(now) {
            Some(left_out) => {
                self.line(now, &format!("{left_out} more lines about messages, presence and refusals"))
            }
            None => String::new(),
        }
    }

    fn close(&mut self, now: SystemTime) -> String {
        let text = self.rotate(now);
        self.is_closed = true;
        text + &self.line(now, "the relay ends")
    }

    fn opened(&mut self, session: SessionId, identity: &Identity, now: SystemTime) -> String {
        self.names.open(session);
        let Identity { installation, account, .. } = identity;
        let account = account.as_deref().map_or("no account".to_owned(), plain);
        let what = self.paint.bold(&format!("session {}", session.0));
        self.line(now, &format!("{what} opened: account {account}, installation {}", plain(installation)))
    }

    fn goodbye(&mut self, session: SessionId, code: Option<Code>) -> String {
        if let Some(session) = self.names.session(session) {
            session.goodbye = code;
        }
        String::new()
    }

    fn ended(&mut self, session: SessionId, now: SystemTime) -> String {
        let Some(ended) = self.names.end(session) else { return String::new() };
        let what = self.paint.bold(&format!("session {}", session.0));
        match ended.goodbye {
            None => self.line(now, &format!("{what} ended: the client left")),
            Some(code) => {
                let line = self.line(now, &format!("{what} ended: {}", self.paint.red(code.name())));
                line + &self.hint(hint(code), now)
            }
        }
    }

    /// Returns the line about name tags when the first one appears.
    fn explain_tags(&mut self, name: &ChannelName) -> String {
        if self.has_explained_tags || !name.name.starts_with(NAME_TAG_PREFIX) {
            return String::new();
        }
        self.has_explained_tags = true;
        let hint = self.paint.yellow("hint:");
        format!(
            "{INDENT}{hint} the app has blindNames, so this relay sees tags ({NAME_TAG_PREFIX}…) in place of names: \
             realtime.nameOf() of the app reads them\n"
        )
    }

    fn subscribed(
        &mut self,
        session: SessionId,
        channel: ChannelId,
        replayed: usize,
        now: SystemTime,
    ) -> String {
        self.names.subscribe(session, channel);
        let replay = match replayed {
            0 => String::new(),
            1 => ", 1 earlier message follows".to_owned(),
            count => format!(", {count} earlier messages follow"),
        };
        let subscribers = self.subscribers(channel);
        let what = self.channel(channel);
        self.line(now, &format!("{what}: session {} subscribed, {subscribers}{replay}", session.0))
    }

    fn unsubscribed(&mut self, session: SessionId, channel: ChannelId, now: SystemTime) -> String {
        if !self.names.unsubscribe(session, channel) {
            return String::new();
        }
        let (what, left) = (self.channel(channel), self.subscribers(channel));
        self.line(now, &format!("{what}: session {} unsubscribed, {left} left", session.0))
    }

    fn published(
        &mut self,
        session: Option<SessionId>,
        channel: ChannelId,
        event: &str,
        sealed: usize,
        now: SystemTime,
    ) -> String {
        if !self.pace.admit() {
            return String::new();
        }
        let publisher = session.map_or("a function".to_owned(), |session| format!("session {}", session.0));
        let event = if event.is_empty() { String::new() } else { format!(" as event {}", plain(event)) };
        let (what, subscribers) = (self.channel(channel), self.subscribers(channel));
        self.line(now, &format!("{what}: {sealed} sealed bytes from {publisher}{event}, to {subscribers}"))
    }

    fn refused(
        &mut self,
        attempt: &str,
        code: Code,
        identity: Option<&Identity>,
        remote: IpAddr,
        now: SystemTime,
    ) -> String {
        if !self.pace.admit() {
            return String::new();
        }
        let client = match identity {
            None => format!("a client at {remote}"),
            Some(Identity { account: Some(account), .. }) => format!("account {}", plain(account)),
            Some(_) => "a function".to_owned(),
        };
        let code_name = self.paint.red(code.name());
        let line = self.line(now, &format!("{} of {client} refused ({attempt})", code_name));
        line + &self.hint(hint_to(attempt, code), now)
    }

    /// Returns the line with a hint, unless it was given a moment ago.
    fn hint(&mut self, hint: &'static str, now: SystemTime) -> String {
        let is_recent = |last: &SystemTime| now.duration_since(*last).is_ok_and(|passed| passed < HINT_PAUSE);
        if self.hinted.get(hint).is_some_and(is_recent) {
            return String::new();
        }
        self.hinted.insert(hint, now);
        format!("{INDENT}{} {}\n", self.paint.yellow("hint:"), hint)
    }

    fn channel(&self, channel: ChannelId) -> String {
        self.paint.bold(&format!("channel {}", self.names.label(channel)))
    }

    fn subscribers(&self, channel: ChannelId) -> String {
        match self.names.subscribers(channel) {
            1 => "1 subscriber".to_owned(),
            count => format!("{count} subscribers"),
        }
    }

    fn line(&self, now: SystemTime, text: &str) -> String {
        format!("{} {text}\n", self.paint.dim(&clock(now)))
    }
}

/// The time of day in UTC, as `hh:mm:ss`.
fn clock(now: SystemTime) -> String {
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() % 86_400);
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
