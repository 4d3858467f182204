//! Presence: the members of a channel, as the relay states and changes them. [`crate::state::presence`] has the rules, and
//! [`super::own_entry`] the page's own member.

use crate::{
    Client, ClientError, Event, Member, Notice, Now, SubscriptionId, VerificationId,
    entropy::array,
    state::{
        channel_spec::ChannelSpec,
        listed_entry::{Known, Listed, Stage},
        presence::{Place, Presence, presence_id},
        requests::Request,
        subscription::Subscription,
    },
};
use sealwire_protocol::{
    AuthorSignature, ChannelId, Code, Entry, EntryPlace, MemberId, SealedMessage, limits,
    wire::{self, Position, PresenceAccepted, PresenceEnded, PresenceEntry, Subscribed},
};

const MAX_AGE_MS: u64 = limits::MAX_PRESENCE_AGE * 1000;
const MAX_AHEAD_MS: u64 = limits::CLOCK_SKEW * 1000;
/// The position of every presence, which has no history.
const NO_POSITION: Position = Position { epoch: 0, offset: 0, time_ms: 0 };

impl Client {
    /// Subscribes to the presence of a channel, and connects if necessary. [`Event::SubscribeDone`] completes the call, and
    /// [`Event::Members`] has all members, then the changes. [`Self::unsubscribe`] ends the subscription.
    ///
    /// `member` is the id with which the page enters, if it calls [`Self::enter`], and the time at which it first entered. A page
    /// that is loaded again thereby stays the same member. `None` lets the client choose a random id.
    pub fn subscribe_presence(
        &mut self,
        now: Now,
        spec: ChannelSpec,
        member: Option<(MemberId, u64)>,
        timeout_ms: Option<u64>,
    ) -> SubscriptionId {
        let member = member.unwrap_or_else(|| (array(&mut *self.entropy), 0));
        self.subscribe_as(now, spec, None, timeout_ms, Some(member))
    }

    /// Returns the members of a presence, in the order in which they entered.
    #[must_use]
    pub fn members(&self, subscription: SubscriptionId) -> Vec<Member> {
        let channel = self.subscriptions.get(&subscription).and_then(Subscription::channel);
        let presence = channel.and_then(|id| self.channels.get(&id)?.presence.as_ref());
        let mut members = presence.map_or_else(Vec::new, |presence| presence.members());
        members.sort_unstable_by_key(|member| (member.entered_at_ms, member.id));
        members
    }

    /// Returns the id of a channel at the relay.
    pub(super) fn wire_id(&self, id: ChannelId) -> ChannelId {
        let is_presence = self.channels.get(&id).is_some_and(|channel| channel.presence.is_some());
        if is_presence { presence_id(id) } else { id }
    }

    /// Handles the relay's answer to a request about presence.
    pub(super) fn presence_accepted(&mut self, now: Now, accepted: &PresenceAccepted) {
        let number = accepted.request;
        match self.requests.take(number) {
            Some(Request::Subscribe(id)) => {
                let answer = Subscribed {
                    request: number,
                    channel_id: presence_id(accepted.channel_id()).into(),
                    position: Some(NO_POSITION),
                    recovered: true,
                    replay_end: 0,
                };
                self.channel_confirmed(now, id, &answer);
            }
            Some(Request::Unsubscribe(Some(subscription))) => {
                self.events.push_back(Event::UnsubscribeDone { subscription });
            }
            Some(Request::Enter(id)) => self.entered(id, number),
            Some(Request::Leave(enter)) => self.events.push_back(Event::EnterDone { enter, result: Ok(()) }),
            _ => {}
        }
    }

    pub(super) fn presence_ended(&mut self, now: Now, ended: PresenceEnded) {
        let id = presence_id(ended.channel_id());
        let error = ClientError::from_wire(ended.code, ended.message, 0);
        self.channel_ended(now, id, error);
    }

    /// Handles a piece of a state or of a batch of changes.
    pub(super) fn presence_received(&mut self, now: Now, message: wire::Presence) {
        let id = presence_id(message.channel_id());
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let (true, Some(presence)) = (channel.receives(), &mut channel.presence) else { return };
        match presence.begin(message.version, message.is_state, message.more) {
            Place::InOrder => {}
            Place::Ignored => return,
            Place::AfterGap => return self.watch_again(now, id),
        }
        for member in &message.left {
            if let Ok(member) = MemberId::try_from(&member[..]) {
                presence.remove(&member);
                presence.own.has_left(now.instant, &member);
            }
        }
        let mut refusal = None;
        for PresenceEntry { member, number, sealed, in_grace } in message.entries {
            if let Ok(member) = MemberId::try_from(&member[..]) {
                let listed = Listed { member, number, in_grace };
                refusal = self.take_entry(now, id, listed, &sealed).err().or(refusal);
            }
        }
        if !message.more {
            if let Some(presence) = self.presence_mut(id).filter(|_| message.is_state) {
                presence.end_state(now.instant);
            }
            self.report_changes(id);
        }
        self.report_refusal(id, refusal);
    }

    /// Opens the entries that waited, once there is another session or token.
    pub(super) fn open_waiting(&mut self, now: Now, id: ChannelId) {
        let Some(presence) = self.presence_mut(id) else { return };
        let mut refusal = None;
        for (listed, stage) in core::mem::take(&mut presence.waiting) {
            let result = match stage {
                Stage::Sealed(sealed) => self.take_entry(now, id, listed, &sealed),
                stage => self.put_entry(now, id, listed, stage),
            };
            refusal = result.err().or(refusal);
        }
        self.report_changes(id);
        self.report_refusal(id, refusal);
    }

    /// Handles the host's answer about the signature of an entry.
    pub(super) fn entry_verified(&mut self, now: Now, verification: VerificationId, is_valid: bool) {
        for id in self.channels.keys() {
            let waiting = self.presence_mut(id).and_then(|presence| presence.take_verifying(verification));
            let Some((listed, mut known)) = waiting else { continue };
            known.member.is_verified = true;
            let result = match is_valid {
                true => self.put_entry(now, id, listed, Stage::Opened(known)),
                false => Err(false_signature()),
            };
            self.report_changes(id);
            self.report_refusal(id, result.err());
        }
    }

    /// Removes the members that did not return and those whose entry is too old.
    pub(super) fn expire_members(&mut self, now: Now) {
        for id in self.channels.keys() {
            let Some(presence) = self.presence_mut(id) else { continue };
            presence.expire(now.instant);
            self.report_changes(id);
        }
    }

    /// Reports all members to a subscription that joins a presence which the client knows.
    pub(super) fn report_members(&mut self, id: ChannelId, subscription: SubscriptionId) {
        if let Some(presence) = self.presence_mut(id).filter(|presence| presence.is_reported) {
            let changed = presence.members();
            self.events.push_back(Event::Members {
                subscriptions: vec![subscription],
                changed,
                left: Vec::new(),
            });
        }
    }

    /// Reports the changes. The first state is reported even if it is empty.
    fn report_changes(&mut self, id: ChannelId) {
        let Some((changed, left)) = self.presence_mut(id).and_then(Presence::take_changes) else { return };
        let subscriptions = self.confirmed_members(id);
        if !subscriptions.is_empty() {
            self.events.push_back(Event::Members { subscriptions, changed, left });
        }
    }

    /// Reports one of the reasons for which entries of a message were refused.
    fn report_refusal(&mut self, id: ChannelId, refusal: Option<ClientError>) {
        let subscriptions = self.confirmed_members(id);
        if let Some(error) = refusal
            && !subscriptions.is_empty()
        {
            self.notify(subscriptions, Notice::Error(error));
        }
    }

    /// Returns the confirmed subscriptions of a channel.
    pub(super) fn confirmed_members(&self, id: ChannelId) -> Vec<SubscriptionId> {
        let is_confirmed =
            |id: &SubscriptionId| self.subscriptions.get(id).is_some_and(Subscription::is_confirmed);
        let members = self.channels.get(&id).map_or(&[][..], |channel| channel.members());
        members.iter().copied().filter(is_confirmed).collect()
    }

    pub(super) fn presence_mut(&mut self, id: ChannelId) -> Option<&mut Presence> {
        self.channels.get_mut(&id)?.presence.as_deref_mut()
    }

    /// Opens an entry and inserts its member, unless the client knows this or a later entry of it.
    fn take_entry(
        &mut self,
        now: Now,
        id: ChannelId,
        listed: Listed,
        sealed: &[u8],
    ) -> Result<(), ClientError> {
        if self.presence_mut(id).is_none_or(|presence| presence.knows(now.instant, listed)) {
            return Ok(());
        }
        let stage = self.open_entry(now, id, listed, sealed)?;
        self.put_entry(now, id, listed, stage)
    }

    /// Inserts the member of an entry, or keeps an entry that waits.
    fn put_entry(
        &mut self,
        now: Now,
        id: ChannelId,
        listed: Listed,
        stage: Stage,
    ) -> Result<(), ClientError> {
        let Some(presence) = self.presence_mut(id) else { return Ok(()) };
        let has_room = match stage {
            Stage::Opened(known) => presence.insert(now.instant, known, listed.in_grace),
            waiting => presence.wait(listed, waiting),
        };
        if has_room {
            return Ok(());
        }
        let message = "the presence has more members than this client keeps";
        Err(ClientError::new(Code::TooManyMembers, message))
    }

    /// Opens an entry as far as possible without the host.
    fn open_entry(
        &mut self,
        now: Now,
        id: ChannelId,
        Listed { member, number, .. }: Listed,
        bytes: &[u8],
    ) -> Result<Stage, ClientError> {
        let message = "an entry of the presence could not be opened";
        let unreadable = || ClientError::new(Code::MessageUnreadable, message);
        let sealed = SealedMessage::parse(bytes).map_err(|_| unreadable())?;
        // The bytes are part of the whole message, which an entry that waits must not keep.
        let waiting = || Ok(Stage::Sealed(bytes.to_vec()));
        let Some(key) = self.channels.get(&id).and_then(|channel| channel.key(sealed.key_id())) else {
            let waits = matches!(self.await_key(now, id, sealed.key_id()), Ok(true));
            return if waits { waiting() } else { Err(unreadable()) };
        };
        let place = EntryPlace { channel: presence_id(id), member, number };
        let mut entry = place.open(&sealed, key).map_err(|_| unreadable())?;
        let Some(age_ms) = self.entry_age_ms(now, entry.sealed_at.0)? else { return waiting() };
        let mut verification = None;
        if let Some(signature) = entry.signature.take() {
            if !is_certified(&entry, &signature) {
                return Err(false_signature());
            }
            verification =
                self.request_verification(sealed.key_id(), &signature, || place.signed_text(&entry));
        }
        let Entry { entered_at, account, data, .. } = entry;
        let known = Box::new(Known {
            number,
            member: Member {
                id: member,
                data,
                account,
                is_verified: false,
                entered_at_ms: entered_at.0,
                in_grace: false,
                is_self: false,
            },
            grace_ends: None,
            is_missing: false,
            is_listed: true,
            is_changed: true,
            expires_at: now.instant.after(MAX_AGE_MS - age_ms),
        });
        Ok(match verification {
            Some(verification) => Stage::Verifying(verification, known),
            None => Stage::Opened(known),
        })
    }

    /// Returns the age of an entry, or `None` if the entry waits for the time. Refuses an entry that is too old.
    fn entry_age_ms(&mut self, now: Now, sealed_at: u64) -> Result<Option<u64>, ClientError> {
        let Some(clock) = self.backend_clock else { return Ok(None) };
        let now_ms = clock.at(now).0;
        let age_ms = now_ms.saturating_sub(sealed_at);
        if age_ms < MAX_AGE_MS && sealed_at <= now_ms.saturating_add(MAX_AHEAD_MS) {
            return Ok(Some(age_ms));
        }
        if !clock.is_confirmed(now) {
            self.request_time(now);
            return Ok(None);
        }
        let message = "an entry of the presence was refused because it is old or later than now; if the relay is honest, \
                       check the clocks of the app's backends";
        Err(ClientError::new(Code::MessageStale, message))
    }
}

/// Returns true if the certificate is for the account of the entry and was valid when the page sealed it.
fn is_certified(entry: &Entry, signature: &AuthorSignature) -> bool {
    signature.certificate.as_ref().is_some_and(|certificate| {
        certificate.account() == entry.account && certificate.expires_at() >= entry.sealed_at
    })
}

fn false_signature() -> ClientError {
    let message =
        "an entry of the presence was refused: its signature is not that of a page with a valid certificate";
    ClientError::new(Code::SenderUnverified, message)
}
