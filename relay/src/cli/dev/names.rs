//! The channels and sessions of a relay for development, with their names, their subscriptions and their members.

use sealwire_protocol::{ChannelId, Code};
use sealwire_relay::{ChannelName, MemberId, SessionId};
use std::collections::{HashMap, HashSet};

/// The number of channels beyond which those without a subscriber and a member are forgotten.
const MAX_IDLE_CHANNELS: usize = 1000;

/// The known sessions and channels.
#[derive(Default)]
pub(super) struct Names {
    sessions: HashMap<SessionId, Session>,
    channels: HashMap<ChannelId, Channel>,
}

/// An open session.
#[derive(Default)]
pub(super) struct Session {
    channels: HashSet<ChannelId>,
    /// The reason for which the relay ends it.
    pub(super) goodbye: Option<Code>,
}

#[derive(Default)]
struct Channel {
    label: String,
    subscribers: usize,
    members: HashMap<MemberId, Member>,
}

/// A member of a channel's presence.
#[derive(Clone, Copy)]
pub(super) struct Member {
    /// The session that entered last.
    pub(super) session: SessionId,
    /// True if that session is broken.
    pub(super) is_in_grace: bool,
}

impl Names {
    pub(super) fn open(&mut self, session: SessionId) {
        self.sessions.insert(session, Session::default());
    }

    pub(super) fn session(&mut self, session: SessionId) -> Option<&mut Session> {
        self.sessions.get_mut(&session)
    }

    /// Removes a session with its subscriptions.
    pub(super) fn end(&mut self, session: SessionId) -> Option<Session> {
        let ended = self.sessions.remove(&session)?;
        for channel in &ended.channels {
            self.remove_subscriber(*channel);
        }
        Some(ended)
    }

    pub(super) fn name(&mut self, name: &ChannelName) {
        if self.channels.len() >= MAX_IDLE_CHANNELS {
            self.channels.retain(|_, channel| channel.subscribers > 0 || !channel.members.is_empty());
        }
        self.channels.entry(name.channel).or_default().label = label(name);
    }

    /// The name of a channel with its scope.
    pub(super) fn label(&self, channel: ChannelId) -> &str {
        self.channels.get(&channel).map_or("a channel", |channel| channel.label.as_str())
    }

    pub(super) fn subscribers(&self, channel: ChannelId) -> usize {
        self.channels.get(&channel).map_or(0, |channel| channel.subscribers)
    }

    pub(super) fn subscribe(&mut self, session: SessionId, channel: ChannelId) {
        let is_new = self.sessions.get_mut(&session).is_some_and(|session| session.channels.insert(channel));
        if is_new {
            self.channels.entry(channel).or_default().subscribers += 1;
        }
    }

    /// Removes a subscription. Returns false if there was none.
    pub(super) fn unsubscribe(&mut self, session: SessionId, channel: ChannelId) -> bool {
        let was_subscribed =
            self.sessions.get_mut(&session).is_some_and(|session| session.channels.remove(&channel));
        if was_subscribed {
            self.remove_subscriber(channel);
        }
        was_subscribed
    }

    /// Notes that a member belongs to a session. Returns what was known of it before.
    pub(super) fn enter(&mut self, session: SessionId, channel: ChannelId, id: MemberId) -> Option<Member> {
        let member = Member { session, is_in_grace: false };
        self.channels.entry(channel).or_default().members.insert(id, member)
    }

    /// Notes that the session of a member is broken. Returns the member.
    pub(super) fn break_member(&mut self, channel: ChannelId, id: MemberId) -> Option<Member> {
        let member = self.channels.get_mut(&channel)?.members.get_mut(&id)?;
        member.is_in_grace = true;
        Some(*member)
    }

    /// Removes a member.
    pub(super) fn leave(&mut self, channel: ChannelId, id: MemberId) -> Option<Member> {
        self.channels.get_mut(&channel)?.members.remove(&id)
    }

    pub(super) fn members(&self, channel: ChannelId) -> usize {
        self.channels.get(&channel).map_or(0, |channel| channel.members.len())
    }

    fn remove_subscriber(&mut self, channel: ChannelId) {
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.subscribers = channel.subscribers.saturating_sub(1);
        }
    }
}

/// Writes the name of a channel and its scope, such as `notes (dashboard 10001)`.
fn label(ChannelName { name, scope, has_token, .. }: &ChannelName) -> String {
    let mut parts: Vec<String> =
        scope.iter().map(|(property, value)| format!("{} {}", plain(property), plain(value))).collect();
    if parts.is_empty() {
        parts.push("whole installation".to_owned());
    }
    if *has_token {
        parts.push("with claims".to_owned());
    }
    format!("{} ({})", plain(name), parts.join(", "))
}

/// Escapes the characters with which a client's text could change the terminal or forge a line.
pub(super) fn plain(text: &str) -> String {
    text.escape_debug().to_string()
}
