//! The judgement of opened messages: repeated, old and left-out messages ([`crate::state::senders`]).

use crate::{
    Client, ClientError, Event, Gap, GapReason, Notice, Now, SubscriptionId, state::senders::Verdict,
};
use sealwire_protocol::{
    Code, OpenedMessage,
    wire::{Position, Publication},
};

impl Client {
    /// Judges a message for each of its recipients. Reports refusals and missing messages, and returns the recipients that
    /// get the message.
    pub(super) fn judge(
        &mut self,
        now: Now,
        opened: &OpenedMessage,
        recipients: Vec<SubscriptionId>,
        publication: &Publication,
        position: Position,
    ) -> Vec<SubscriptionId> {
        // Without a clock, every message is from the future.
        let now_ms = self.backend_clock.map_or(0, |clock| clock.at(now).0);
        let (mut wanted, mut incomplete) = (Vec::new(), Vec::new());
        let (mut old, mut ahead, mut is_repeated) = (Vec::new(), Vec::new(), false);
        for recipient in recipients {
            let Some(subscription) = self.subscriptions.get_mut(&recipient) else { continue };
            match subscription.senders.receive(now_ms, opened) {
                Verdict::New { is_withheld_before } => {
                    wanted.push(recipient);
                    if is_withheld_before {
                        incomplete.push(recipient);
                    }
                }
                Verdict::Repeated => is_repeated = true,
                Verdict::Old => old.push(recipient),
                Verdict::Ahead => ahead.push(recipient),
            }
        }
        if !incomplete.is_empty() {
            let to = Position { offset: publication.previous_offset, time_ms: 0, ..position };
            let gap = Gap { from: None, to, reason: GapReason::Withheld };
            self.events.push_back(Event::Notice { subscriptions: incomplete, notice: Notice::Gap(gap) });
        }
        self.repeated_messages = self.repeated_messages.saturating_add(is_repeated.into());
        self.refuse_message(
            old,
            "a message was refused because it is too old or may have been delivered before; the relay may repeat old messages, \
             or the sender's clock may be slow",
        );
        self.refuse_message(
            ahead,
            "a message was refused because it was sealed after the present time; check the clocks of the backends, and return a \
             new session from each call of the session function",
        );
        wanted
    }

    fn refuse_message(&mut self, subscriptions: Vec<SubscriptionId>, message: &str) {
        if subscriptions.is_empty() {
            return;
        }
        let notice = Notice::Error(ClientError::new(Code::MessageStale, message));
        self.events.push_back(Event::Notice { subscriptions, notice });
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
