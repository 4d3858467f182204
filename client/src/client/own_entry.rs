//! The page's own member in a presence: entered, sealed again, sent again after each reconnect, and ended.

use crate::{
    Client, ClientError, Event, Instant, Notice, Now, SigningId, SubscriptionId,
    client::{next, signing::could_not_sign},
    entropy::{array, below},
    event::EnterId,
    state::{
        own_entry::{Own, Sent, UnsignedEntry},
        presence::{Presence, presence_id},
        requests::Request,
        subscription::Subscription,
    },
};
use sealwire_protocol::{
    AuthorSignature, Certificate, ChannelId, Code, Entry, EntryPlace, MemberId, Signature, UnixMillis,
    decimal, limits,
    wire::{PresenceEnter, PresenceLeave, PresenceUnwatch, ToRelay},
};

/// The pause before the client sends an entry again for a reason other than a refusal.
const RETRY_MS: u64 = 1_000;
/// The number of member ids that the relay may refuse one after the other.
const MAX_CONFLICTS: u32 = 3;

impl Client {
    /// Makes the page a member of a presence, or replaces its data. `data` is JSON text. [`Event::EnterDone`] completes the
    /// call once the relay has the data, or data of a later call. The client enters again by itself after each reconnect.
    ///
    /// With `signed`, the page signs its entries ([`Event::SignRequested`]) with the certificate of its session, until it leaves.
    pub fn enter(&mut self, now: Now, subscription: SubscriptionId, data: String, signed: bool) -> EnterId {
        let enter = EnterId(self.next_id());
        let unix_ms = self.backend_clock.map_or(now.unix, |clock| clock.at(now)).0;
        match self.own_mut(subscription) {
            Ok(_) if data.len() > limits::MAX_PRESENCE_DATA => {
                let max = decimal(limits::MAX_PRESENCE_DATA as u64);
                let message =
                    ["the data of a member has at most ", &max, " bytes as JSON; send less"].concat();
                let result = Err(ClientError::new(Code::InvalidArgument, message));
                self.events.push_back(Event::EnterDone { enter, result });
            }
            Ok(own) => {
                own.is_signed |= signed;
                own.enter(subscription, enter, data, unix_ms);
                self.signs |= signed;
            }
            Err(error) => self.events.push_back(Event::EnterDone { enter, result: Err(error) }),
        }
        self.advance(now);
        enter
    }

    /// Ends the page's member at once, unless another subscription to the presence has entered, too. [`Event::EnterDone`]
    /// completes the call.
    pub fn leave(&mut self, now: Now, subscription: SubscriptionId) -> EnterId {
        let enter = EnterId(self.next_id());
        let channel = self.subscriptions.get(&subscription).and_then(Subscription::channel);
        if !channel.is_some_and(|id| self.leave_presence(now, id, subscription, enter)) {
            self.events.push_back(Event::EnterDone { enter, result: Ok(()) });
        }
        self.advance(now);
        enter
    }

    fn own_mut(&mut self, subscription: SubscriptionId) -> Result<&mut Own, ClientError> {
        let channel = self.subscriptions.get(&subscription).and_then(Subscription::channel);
        let presence = channel.and_then(|id| self.presence_mut(id));
        presence.map(|presence| &mut presence.own).ok_or_else(|| {
            ClientError::new(Code::NotSubscribed, "the presence is not open or has ended; open it again")
        })
    }

    /// Ends the part of a subscription in the page's member. Returns true if the relay's answer completes the call.
    fn leave_presence(
        &mut self,
        now: Now,
        id: ChannelId,
        subscription: SubscriptionId,
        enter: EnterId,
    ) -> bool {
        let is_connected = self.phase.is_connected();
        let Some(presence) = self.presence_mut(id) else { return false };
        let own = &mut presence.own;
        own.holders.retain(|holder| *holder != subscription);
        if !own.holders.is_empty() || own.data.is_none() {
            return false;
        }
        let (member, was_sent) = (own.id, own.sent != Sent::No);
        let callers = own.clear();
        self.fail_entering(callers, &ClientError::new(Code::Closed, "the page left the presence"));
        if !was_sent || !is_connected {
            return false;
        }
        self.send_leave(now, id, member, enter);
        true
    }

    /// Ends the part of a subscription that is removed.
    pub(super) fn abandon_presence(&mut self, now: Now, id: ChannelId, subscription: SubscriptionId) {
        // The answer completes no call.
        let enter = EnterId(self.next_id());
        self.leave_presence(now, id, subscription, enter);
    }

    pub(super) fn send_unwatch(&mut self, now: Now, id: ChannelId, caller: Option<SubscriptionId>) {
        let deadline = self.request_deadline(now);
        let request = self.requests.add(now.instant, deadline, Request::Unsubscribe(caller));
        let channel_id = presence_id(id).into();
        self.send(&ToRelay::PresenceUnwatch(PresenceUnwatch { request, channel_id }));
    }

    /// Sends the entries of the page's members that the relay does not have, and seals those again that are due.
    pub(super) fn send_entries(&mut self, now: Now) {
        for id in self.channels.keys() {
            if self.seal_entry(now, id) {
                self.send_entry(now, id);
            }
        }
    }

    /// Seals the entry of the page's member if it is due, or requests its signature. Returns true if the sealed entry is to be
    /// sent.
    fn seal_entry(&mut self, now: Now, id: ChannelId) -> bool {
        let (Some(channel), Some(session)) = (self.channels.get_mut(&id), &self.session) else {
            return false;
        };
        let (true, Some(key)) = (channel.is_on_wire(), channel.newest_key().cloned()) else { return false };
        let Some(Presence { own, .. }) = channel.presence.as_deref_mut() else { return false };
        let Some(data) = own.data.clone().filter(|_| own.is_free(now.instant)) else { return false };
        if !own.is_outdated(now.instant, key.id()) {
            return own.sent != Sent::Accepted;
        }
        if session.clock.is_uncertain(now) {
            own.retry_at = Some(now.instant.after(RETRY_MS));
            self.request_time(now);
            return false;
        }
        let sealed_at = session.clock.at(now);
        let certificate = session.certificate(key.id(), sealed_at).filter(|_| own.is_signed);
        if own.is_signed && certificate.is_none() {
            own.sent = Sent::AwaitingCertificate;
            self.request_certificate(now);
            return false;
        }
        let sender = Some(session.sender.as_str()).filter(|sender| sender.len() <= limits::MAX_ACCOUNT);
        let account = certificate.map(Certificate::account).or(sender).unwrap_or_default().into();
        let entered_at = UnixMillis(own.entered_at_ms);
        let entry = Entry { sealed_at, entered_at, account, data, signature: None };
        let number = sealed_at.0.max(own.number + 1);
        let place = EntryPlace { channel: presence_id(id), member: own.id, number };
        let Some(certificate) = certificate.cloned() else {
            own.seal(now.instant, &mut *self.entropy, place, &key, &entry);
            return true;
        };
        let signing = SigningId(next(&mut self.last_id));
        let text = place.signed_text(&entry);
        own.sent = Sent::AwaitingSignature(signing);
        own.unsigned = Some(Box::new(UnsignedEntry { place, key, entry, certificate }));
        self.events.push_back(Event::SignRequested { signing, text });
        false
    }

    /// Handles the host's answer to the request for the signature of an entry.
    pub(super) fn entry_signed(&mut self, now: Now, signing: SigningId, signature: Option<Signature>) {
        for id in self.channels.keys() {
            let Some(channel) = self.channels.get_mut(&id) else { continue };
            let is_on_wire = channel.is_on_wire();
            let Some(Presence { own, .. }) = channel.presence.as_deref_mut() else { continue };
            if own.sent != Sent::AwaitingSignature(signing) {
                continue;
            }
            let (Some(unsigned), Some(signature)) = (own.unsigned.take(), signature) else {
                return self.fail_own(now, id, could_not_sign());
            };
            let UnsignedEntry { place, key, mut entry, certificate } = *unsigned;
            entry.signature = Some(AuthorSignature { certificate: Some(certificate), signature });
            own.seal(now.instant, &mut *self.entropy, place, &key, &entry);
            own.sent = Sent::No;
            // The entry is sent even if the data changed meanwhile. Otherwise frequent changes would hold it back for good.
            if is_on_wire {
                self.send_entry(now, id);
            }
            return;
        }
    }

    fn send_entry(&mut self, now: Now, id: ChannelId) {
        let deadline = self.request_deadline(now);
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let wire = channel.to_wire();
        let Some(Presence { own, .. }) = channel.presence.as_deref_mut() else { return };
        let request = self.requests.add(now.instant, deadline, Request::Enter(id));
        own.sent = Sent::Pending(request);
        let enter = PresenceEnter {
            request,
            channel: Some(wire),
            member: own.id.to_vec().into(),
            number: own.number,
            sealed: own.sealed.clone(),
        };
        self.send(&ToRelay::PresenceEnter(enter));
    }

    /// Returns the time at which [`Self::send_entries`] or [`Self::expire_members`] is due.
    pub(super) fn presence_deadline(&self) -> Option<Instant> {
        let is_connected = self.phase.is_connected();
        let due = self.channels.values().filter_map(|channel| {
            let presence = channel.presence.as_ref()?;
            let own = presence.own.due_at().filter(|_| is_connected && channel.is_on_wire());
            own.into_iter().chain(presence.check_at()).min()
        });
        due.min()
    }

    /// Handles that the relay accepted an entry.
    pub(super) fn entered(&mut self, id: ChannelId, request: u32) {
        let Some(presence) = self.presence_mut(id) else { return };
        let own = &mut presence.own;
        if own.sent != Sent::Pending(request) {
            return;
        }
        own.sent = Sent::Accepted;
        own.is_present = true;
        own.conflicts = 0;
        // Data that changed in the meantime is sent next.
        if !own.is_changed {
            for enter in core::mem::take(&mut own.callers) {
                self.events.push_back(Event::EnterDone { enter, result: Ok(()) });
            }
        }
    }

    /// Handles that the relay refused an entry.
    pub(super) fn enter_refused(&mut self, now: Now, id: ChannelId, request: u32, error: ClientError) {
        let new_id = array(&mut *self.entropy);
        let Some(presence) = self.presence_mut(id) else { return };
        let own = &mut presence.own;
        if own.sent != Sent::Pending(request) {
            return;
        }
        own.sent = Sent::No;
        let is_conflict = error.is(Code::MemberConflict) || error.is(Code::EntryOutdated);
        if is_conflict && own.conflicts < MAX_CONFLICTS {
            // The former member leaves when its grace time ends.
            own.conflicts += 1;
            own.id = new_id;
            own.is_changed = true;
            return;
        }
        let is_full = error.is(Code::TooManyMembers) && !own.callers.is_empty();
        if error.is_temporary() && !is_full {
            let wait = u64::from(error.retry_after_ms.unwrap_or(1_000));
            let wait = wait + below(&mut *self.entropy, wait.min(5_000) + 1);
            if let Some(presence) = self.presence_mut(id) {
                presence.own.retry_at = Some(now.instant.after(wait));
            }
            return;
        }
        if self.channel_token_rejected(now, id, &error) {
            return;
        }
        self.fail_own(now, id, error);
    }

    /// Ends the page's member, whose entry is refused or cannot be signed. An earlier entry that the relay has leaves, too.
    pub(super) fn fail_own(&mut self, now: Now, id: ChannelId, error: ClientError) {
        let Some(Presence { own, .. }) = self.presence_mut(id) else { return };
        let (member, is_present) = (own.id, own.is_present);
        let callers = own.clear();
        if is_present && self.phase.is_connected() {
            // The answer completes no call.
            let enter = EnterId(self.next_id());
            self.send_leave(now, id, member, enter);
        }
        if callers.is_empty() {
            let subscriptions = self.confirmed_members(id);
            return self.notify(subscriptions, Notice::Error(error));
        }
        self.fail_entering(callers, &error);
    }

    fn send_leave(&mut self, now: Now, id: ChannelId, member: MemberId, enter: EnterId) {
        let deadline = self.request_deadline(now);
        let request = self.requests.add(now.instant, deadline, Request::Leave(enter));
        let (channel_id, member) = (presence_id(id).into(), member.to_vec().into());
        self.send(&ToRelay::PresenceLeave(PresenceLeave { request, channel_id, member }));
    }

    /// Fails calls to enter.
    pub(super) fn fail_entering(&mut self, callers: Vec<EnterId>, error: &ClientError) {
        for enter in callers {
            self.events.push_back(Event::EnterDone { enter, result: Err(error.clone()) });
        }
    }

    /// Ends the presences about which the relay has yet to answer a request, since an earlier version of the relay closes
    /// the connection instead. Returns true if there are any.
    pub(super) fn end_unanswered_presences(&mut self, now: Now) -> bool {
        let mut ids = self.channels.keys();
        ids.retain(|id| {
            self.channels.get(id).is_some_and(|channel| channel.presence.is_some())
                && self.requests.has_presence_request(*id)
        });
        let message = "this version of the relay has no presence; update the relay";
        let error = ClientError::new(Code::PresenceUnsupported, message);
        for id in &ids {
            self.end_channel(now, *id, &error);
        }
        !ids.is_empty()
    }

    /// Fails the calls to enter of every presence.
    pub(super) fn fail_presences(&mut self, error: &ClientError) {
        for id in self.channels.keys() {
            if let Some(presence) = self.presence_mut(id) {
                let callers = core::mem::take(&mut presence.own.callers);
                self.fail_entering(callers, error);
            }
        }
    }

    /// Requests the state of a presence whose changes have a gap.
    pub(super) fn watch_again(&mut self, now: Now, id: ChannelId) {
        self.send_subscribe(now, id, None, true);
    }
}
