//! The judgement of opened messages: repeated, old and left-out messages ([`crate::state::senders`]).

use crate::{
    Author, Client, ClientError, Event, Gap, GapReason, Notice, Now, SessionReason, SubscriptionId,
    state::senders::{Verdict, is_untimely},
};
use sealwire_protocol::{
    Code, OpenedMessage, UnixMillis,
    wire::{Position, Publication},
};

/// The pause between two requests for the time.
const TIME_REQUEST_PAUSE_MS: u64 = 5_000;

impl Client {
    /// Returns true if a message waits for a new session, which tells the time. The clocks of this machine may have gone
    /// wrong since the last one, so they alone refuse no message.
    pub(super) fn awaits_time(&mut self, now: Now, published_at: UnixMillis) -> bool {
        let Some(clock) = self.backend_clock else { return false };
        let waits = is_untimely(clock.at(now).0, published_at.0) && !clock.is_confirmed(now);
        if waits {
            self.request_time(now);
        }
        waits
    }

    /// Requests a session for its time, unless one was requested a short time ago.
    pub(super) fn request_time(&mut self, now: Now) {
        let was_requested =
            self.time_requested_at.is_some_and(|at| now.instant.since(at) < TIME_REQUEST_PAUSE_MS);
        if self.phase.is_connected() && !was_requested {
            self.time_requested_at = Some(now.instant);
            self.request_session(now, SessionReason::Refresh);
        }
    }

    /// Judges a message for each of its recipients. Reports refusals and missing messages, and returns the recipients that
    /// get the message.
    pub(super) fn judge(
        &mut self,
        now: Now,
        opened: &OpenedMessage,
        author: &Author,
        recipients: Vec<SubscriptionId>,
        publication: &Publication,
        position: Position,
    ) -> Vec<SubscriptionId> {
        // Without a clock, every message is from the future.
        let now_ms = self.backend_clock.map_or(0, |clock| clock.at(now).0);
        let (mut wanted, mut is_repeated) = (Vec::new(), false);
        for recipient in recipients {
            let Some(subscription) = self.subscriptions.get_mut(&recipient) else { continue };
            let notice = match subscription.senders.receive(now_ms, author, opened) {
                Verdict::New { is_withheld_before } => {
                    wanted.push(recipient);
                    if !is_withheld_before {
                        continue;
                    }
                    let to = Position { offset: publication.previous_offset, time_ms: 0, ..position };
                    Notice::Gap(Gap { from: None, to, reason: GapReason::Withheld })
                }
                Verdict::Repeated => {
                    is_repeated = true;
                    continue;
                }
                Verdict::Stale => Notice::Error(ClientError::new(
                    Code::MessageStale,
                    "a message was refused because it is old, later than now or may have been delivered before; if the \
                     relay is honest, check the clocks of the app's backends",
                )),
            };
            self.events.push_back(Event::Notice { subscriptions: vec![recipient], notice });
        }
        self.repeated_messages = self.repeated_messages.saturating_add(is_repeated.into());
        wanted
    }

    /// Emits a notice. Messages that are missing because of it do not count as left out.
    pub(super) fn notify(&mut self, subscriptions: Vec<SubscriptionId>, notice: Notice) {
        if let Notice::Gap(_) | Notice::Error(_) = notice {
            for id in &subscriptions {
                if let Some(subscription) = self.subscriptions.get_mut(id) {
                    subscription.senders.interrupt();
                }
            }
        }
        self.events.push_back(Event::Notice { subscriptions, notice });
    }
}
