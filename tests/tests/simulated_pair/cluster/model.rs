//! The guarantees of a cluster: every acknowledged publication reaches each subscription once and in order, or a gap that
//! covers it is reported. While no server lost its contents and every limit has room, there is no gap.

use super::{super::schedules::channels, events::Run};
use sealwire_client::{Gap, Notice, PublishId, SubscriptionId};
use sealwire_protocol::{ChannelId, wire::Position};
use std::collections::BTreeMap;

pub(super) const CHANNELS: usize = 3;
/// The time in which a relay that knew of a lost publication reports the loss.
const REPORT_MS: u64 = 10_000;

type Check = Result<(), String>;

/// A publication that a stream stored.
struct Instance {
    offset: u64,
    epoch: Option<u64>,
    at: u64,
    /// The time at which the stream lost it with its contents.
    lost_at: Option<u64>,
    /// The runs of relays that received it, or its acknowledgement.
    known_by: Vec<Run>,
    number: Option<u64>,
}

pub(super) struct Subscription {
    pub(super) client: usize,
    pub(super) channel: usize,
    pub(super) confirmed_at: Option<u64>,
    /// True if the app unsubscribed.
    pub(super) is_over: bool,
    messages: BTreeMap<u64, usize>,
    gaps: Vec<(u64, Gap)>,
    /// The position of the newest message or gap.
    newest: Option<Position>,
}

struct Publish {
    channel: usize,
    number: u64,
    called_at: u64,
    instance: Option<usize>,
    has_ended: bool,
}

pub(super) struct Model {
    ids: [ChannelId; channels::CHANNELS],
    instances: Vec<Instance>,
    places: BTreeMap<(ChannelId, u64, u64), Vec<usize>>,
    pub(super) subscriptions: BTreeMap<(usize, SubscriptionId), Subscription>,
    publishes: BTreeMap<(usize, PublishId), Publish>,
    ended_runs: BTreeMap<Run, u64>,
    /// True if committed messages were lost.
    pub(super) is_lossy: bool,
    /// True if a gap breaks a guarantee even so: limits have room.
    pub(super) is_roomy: bool,
    pub(super) delivered: usize,
    pub(super) gaps: usize,
}

impl Model {
    pub(super) fn new(is_roomy: bool) -> Self {
        Self {
            ids: channels::ids(),
            instances: Vec::new(),
            places: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            publishes: BTreeMap::new(),
            ended_runs: BTreeMap::new(),
            is_lossy: false,
            is_roomy,
            delivered: 0,
            gaps: 0,
        }
    }

    /// Records a stored publication. Returns its number here.
    pub(super) fn store(
        &mut self,
        channel: ChannelId,
        offset: u64,
        time_ms: u64,
        epoch: Option<u64>,
        at: u64,
    ) -> usize {
        let index = self.instances.len();
        self.instances.push(Instance {
            offset,
            epoch,
            at,
            lost_at: None,
            known_by: Vec::new(),
            number: None,
        });
        self.places.entry((channel, offset, time_ms)).or_default().push(index);
        index
    }

    /// Records that a stored publication was lost with a stream's contents.
    pub(super) fn lose(&mut self, instance: usize, now: u64) {
        self.instances[instance].lost_at = Some(now);
    }

    /// Records that a relay received a publication, or its acknowledgement.
    pub(super) fn know(&mut self, run: Run, channel: ChannelId, offset: u64, time_ms: u64) {
        for index in self.places.get(&(channel, offset, time_ms)).into_iter().flatten() {
            self.instances[*index].known_by.push(run);
        }
    }

    pub(super) fn end_run(&mut self, run: Run, now: u64) {
        self.ended_runs.insert(run, now);
    }

    /// Returns true if every relay that knew of a lost publication ended before it had time to report the loss.
    fn is_forgotten(&self, instance: &Instance) -> bool {
        instance.lost_at.is_some_and(|lost_at| {
            let has_ended =
                |run: &Run| self.ended_runs.get(run).is_some_and(|ended_at| *ended_at <= lost_at + REPORT_MS);
            instance.known_by.iter().all(has_ended)
        })
    }

    pub(super) fn add_subscription(&mut self, client: usize, id: SubscriptionId, channel: usize) {
        let subscription = Subscription {
            client,
            channel,
            confirmed_at: None,
            is_over: false,
            messages: BTreeMap::new(),
            gaps: Vec::new(),
            newest: None,
        };
        self.subscriptions.insert((client, id), subscription);
    }

    pub(super) fn add_publish(
        &mut self,
        client: usize,
        id: PublishId,
        channel: usize,
        number: u64,
        called_at: u64,
    ) {
        let publish = Publish { channel, number, called_at, instance: None, has_ended: false };
        self.publishes.insert((client, id), publish);
    }

    pub(super) fn confirmed(&mut self, client: usize, id: SubscriptionId, is_ok: bool, now: u64) -> Check {
        let subscription =
            self.subscriptions.get_mut(&(client, id)).ok_or("an unknown subscription was answered")?;
        if !is_ok && !subscription.is_over {
            return Err("a subscribe failed".into());
        }
        subscription.confirmed_at = Some(now);
        Ok(())
    }

    /// Checks the end of a publish. `position` is that of the receipt.
    pub(super) fn published(&mut self, client: usize, id: PublishId, position: Option<Position>) -> Check {
        let publish = self.publishes.get_mut(&(client, id)).ok_or("an unknown publish ended")?;
        if std::mem::replace(&mut publish.has_ended, true) {
            return Err("a publish ended twice".into());
        }
        let (channel, number) = (publish.channel, publish.number);
        let Some(position) = position else { return Ok(()) };
        let instance = self.locate(channel, position, number);
        if instance.is_none() && self.is_roomy {
            return Err(format!("{number} was acknowledged at {position:?}, where it is not"));
        }
        if let Some(publish) = self.publishes.get_mut(&(client, id)) {
            publish.instance = instance;
        }
        Ok(())
    }

    /// Returns the stored publication at a position that has this number. Its epoch may have ended because of a loss that the
    /// relay had not noticed yet.
    fn locate(&mut self, channel: usize, position: Position, number: u64) -> Option<usize> {
        let place = (self.ids[channel], position.offset, position.time_ms);
        let candidates = self.places.get(&place)?;
        let is_it = |index: &&usize| {
            let instance = &self.instances[**index];
            instance.number.is_none_or(|known| known == number)
        };
        let index = *candidates.iter().find(is_it)?;
        self.instances[index].number = Some(number);
        Some(index)
    }

    pub(super) fn message(
        &mut self,
        client: usize,
        id: SubscriptionId,
        position: Position,
        number: u64,
        now: u64,
    ) -> Check {
        let Some(channel) = self.subscriptions.get(&(client, id)).map(|subscription| subscription.channel)
        else {
            return Err("a message for an unknown subscription".into());
        };
        let Some(instance) = self.locate(channel, position, number) else {
            return Err(format!("{number} arrived at {position:?}, where it was never stored"));
        };
        self.delivered += 1;
        let (instances, is_roomy) = (&self.instances, self.is_roomy);
        let Some(subscription) = self.subscriptions.get_mut(&(client, id)) else { return Ok(()) };
        if subscription.is_over {
            return Err("a message for a subscription that is over".into());
        }
        if let Some(newest) = subscription.newest
            && newest.epoch == position.epoch
            && position.offset <= newest.offset
        {
            return Err(format!("{position:?} arrived after {newest:?}"));
        }
        let has_gap = |since: u64| subscription.gaps.iter().any(|(at, _)| *at >= since);
        if let Some(earlier) = subscription.messages.insert(number, instance) {
            // A message whose first copy was lost, or whose id was discarded, may be stored again.
            let is_other = earlier != instance && (!is_roomy || has_gap(instances[earlier].at));
            if !is_other {
                return Err(format!("{number} arrived twice, at {} ms", now));
            }
        }
        subscription.newest = Some(position);
        Ok(())
    }

    pub(super) fn notice(&mut self, client: usize, id: SubscriptionId, notice: &Notice, now: u64) -> Check {
        let subscription =
            self.subscriptions.get_mut(&(client, id)).ok_or("a notice for an unknown subscription")?;
        match notice {
            Notice::Gap(gap) => {
                self.gaps += 1;
                subscription.gaps.push((now, *gap));
                subscription.newest = Some(gap.to);
                if self.is_roomy && !self.is_lossy {
                    return Err(format!("a gap without a loss: {gap:?}"));
                }
                Ok(())
            }
            Notice::Resumed { .. } => Ok(()),
            Notice::Error(error) => Err(format!("a message was unreadable: {error}")),
            Notice::Ended(error) => Err(format!("a subscription ended: {error}")),
        }
    }

    /// Checks that everything acknowledged was delivered, or is covered by a gap.
    pub(super) fn check_end(&self) -> Check {
        for ((client, _), publish) in &self.publishes {
            if !publish.has_ended {
                return Err(format!("the publish of {} by client {client} never ended", publish.number));
            }
            let Some(index) = publish.instance else { continue };
            for subscription in self.subscriptions.values().filter(|one| one.channel == publish.channel) {
                let is_due = subscription.confirmed_at.is_some_and(|at| at <= publish.called_at);
                if !is_due || subscription.is_over || subscription.messages.contains_key(&publish.number) {
                    continue;
                }
                if !subscription.gaps.iter().any(|(at, gap)| self.covers(*at, gap, index)) {
                    let instance = &self.instances[index];
                    if self.is_forgotten(instance) {
                        continue;
                    }
                    let Instance { offset, epoch, at, lost_at, .. } = instance;
                    return Err(format!(
                        "{} (offset {offset} of epoch {epoch:?}, stored at {at} ms, lost at {lost_at:?}) did not reach a subscription of \
                         client {} to channel {}, and no gap covers it",
                        publish.number, subscription.client, publish.channel
                    ));
                }
            }
        }
        Ok(())
    }

    fn covers(&self, at: u64, gap: &Gap, index: usize) -> bool {
        let instance = &self.instances[index];
        if at < instance.at {
            return false;
        }
        let is_behind =
            gap.from.is_some_and(|from| Some(from.epoch) == instance.epoch && instance.offset <= from.offset);
        let is_before_end = instance.epoch != Some(gap.to.epoch) || instance.offset <= gap.to.offset;
        instance.lost_at.is_some() || is_before_end && (self.is_lossy || !is_behind)
    }
}
