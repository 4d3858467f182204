//! The lines about presence: members that enter, change their entry, lose their session, return and leave.

use super::Lines;
use sealwire_protocol::ChannelId;
use sealwire_relay::{Entrance, MemberId, SessionId};
use std::time::{Duration, SystemTime};

impl Lines {
    pub(super) fn entered(
        &mut self,
        session: SessionId,
        (channel, member): (ChannelId, MemberId),
        entrance: Entrance,
        sealed: usize,
        now: SystemTime,
    ) -> String {
        let before = self.names.enter(session, channel, member);
        let action = match (entrance, before) {
            (Entrance::Updated, _) => format!("updated its entry, {sealed} sealed bytes"),
            (Entrance::Returned, Some(before)) => {
                format!("returned as the member of session {}", before.session.0)
            }
            (Entrance::New | Entrance::Returned, _) => format!("entered with {sealed} sealed bytes"),
        };
        let members = self.members(channel);
        self.presence(channel, &format!("session {} {action}, {members}", session.0), now)
    }

    pub(super) fn broke(
        &mut self,
        channel: ChannelId,
        member: MemberId,
        grace: Duration,
        now: SystemTime,
    ) -> String {
        let Some(member) = self.names.break_member(channel, member) else { return String::new() };
        let session = member.session.0;
        let text =
            format!("the member of session {session} lost its connection, and has {grace:.0?} to return");
        self.presence(channel, &text, now)
    }

    pub(super) fn left(&mut self, channel: ChannelId, member: MemberId, now: SystemTime) -> String {
        let Some(member) = self.names.leave(channel, member) else { return String::new() };
        let (session, members) = (member.session.0, self.members(channel));
        let text = match member.is_in_grace {
            true => format!("the member of session {session} left after its grace time, {members}"),
            false => format!("session {session} left, {members}"),
        };
        self.presence(channel, &text, now)
    }

    fn members(&self, channel: ChannelId) -> String {
        match self.names.members(channel) {
            1 => "1 member".to_owned(),
            count => format!("{count} members"),
        }
    }

    fn presence(&mut self, channel: ChannelId, text: &str, now: SystemTime) -> String {
        if !self.pace.admit() {
            return String::new();
        }
        let label = self.names.label(channel);
        let what = self.paint.bold(&format!("presence {label}"));
        self.line(now, &format!("{what}: {text}"))
    }
}
