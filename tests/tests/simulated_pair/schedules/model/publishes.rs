//! Publishes: each call ends once, not before its limit, and messages of one caller keep their order.

use super::{Check, Model, is_unreachable};
use sealwire_client::{ClientError, PublishId, Receipt};

pub(in super::super) struct PublishCall {
    pub(in super::super) channel: usize,
    pub(in super::super) number: u64,
    pub(in super::super) padding: usize,
    times_out_at: u64,
    /// True if the app gave the message an id.
    has_id: bool,
    /// True if the app ended its wait.
    withdrawn: bool,
    ended: bool,
    pub(in super::super) acknowledged: bool,
}

impl PublishCall {
    /// Creates a pending call. `message` is the channel, the number and the size of its padding.
    pub(in super::super) fn new(message: (usize, u64, usize), times_out_at: u64, has_id: bool) -> Self {
        let (channel, number, padding) = message;
        let (withdrawn, ended, acknowledged) = (false, false, false);
        Self { channel, number, padding, times_out_at, has_id, withdrawn, ended, acknowledged }
    }

    pub(super) fn is_pending(&self) -> bool {
        !self.ended
    }
}

impl Model {
    pub(in super::super) fn add_publish(&mut self, client: usize, id: PublishId, call: PublishCall) {
        self.publishes.insert((client, id), call);
    }

    pub(in super::super) fn mark_withdrawn(&mut self, client: usize, id: PublishId) {
        if let Some(call) = self.publishes.get_mut(&(client, id)) {
            call.withdrawn = true;
        }
    }

    /// Returns the publishes of a client that have not ended.
    pub(in super::super) fn pending_publishes(&self, client: usize) -> Vec<PublishId> {
        let pending = |(key, call): (&(usize, PublishId), &PublishCall)| {
            (key.0 == client && call.is_pending()).then_some(key.1)
        };
        self.publishes.iter().filter_map(pending).collect()
    }

    /// Returns a client's newest message that has an id of the app.
    pub(in super::super) fn newest_with_id(&self, client: usize) -> Option<&PublishCall> {
        let mine = self.publishes.range((client, PublishId(0))..=(client, PublishId(u32::MAX)));
        mine.rev().map(|(_, call)| call).find(|call| call.has_id)
    }

    pub(in super::super) fn publish_call(&self, client: usize, id: PublishId) -> Option<&PublishCall> {
        self.publishes.get(&(client, id))
    }

    pub(in super::super) fn publish_done(
        &mut self,
        client: usize,
        id: PublishId,
        result: Result<Receipt, ClientError>,
        now: u64,
    ) -> Check {
        let call = self.publishes.get_mut(&(client, id)).filter(|call| call.is_pending());
        let Some(call) = call else { return Err("a publish ended twice".into()) };
        call.ended = true;
        let (channel, number) = (call.channel, call.number);
        let receipt = match result {
            Ok(receipt) => receipt,
            Err(error) => {
                if self.must_publish {
                    return Err(format!("a publish failed without a fault: {error}"));
                }
                if is_unreachable(&error) && !call.withdrawn && now < call.times_out_at {
                    return Err(format!("a publish timed out before its limit: {error}"));
                }
                // Another call may have published the same message under its id.
                if error.may_have_arrived == Some(false) && !call.has_id {
                    self.unsent.insert(number);
                }
                return Ok(());
            }
        };
        call.acknowledged = true;
        let has_id = call.has_id;
        let location = self.locate(receipt.position, channel)?;
        self.check_number(location, number)?;
        // An earlier call may have published a message that has an id of the app.
        if has_id || self.history.epochs[location.0].is_repeat(location.1) {
            return Ok(());
        }
        let newest = self.acknowledged.entry((client, channel, location.0)).or_default();
        // After a jump of its clock the relay may accept a repeated publish that it refused before, if the refusal was
        // lost.
        if (location.1 > newest.1) != (number > newest.0) && !self.relay_clock_jumped {
            return Err(format!("number {number} of one caller was accepted out of order"));
        }
        *newest = (number.max(newest.0), location.1.max(newest.1));
        Ok(())
    }
}
