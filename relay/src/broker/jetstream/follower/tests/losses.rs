//! Contents that are lost, replaced or brought back, and leaders that only seem to have lost them.

use super::{super::*, bench::*};
use sealwire_protocol::wire::Position;

#[test]
fn replaced_contents_end_every_subscription() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    let position = bench.mark();
    bench.entries.clear();
    bench.last = 0;
    // The new contents do not reach as far as the mark that the relay knows.
    bench.store_publication(OTHER);
    bench.elect();
    assert_eq!(bench.ended, [CHANNEL]);
    let (_, recovered, _) = bench.denied(CHANNEL, position);
    assert!(!recovered);
}

#[test]
fn sequences_that_were_used_twice_end_every_subscription() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.publish(CHANNEL);
    // A majority was lost together with the publication, and another one took its sequence.
    bench.entries.pop();
    bench.last -= 1;
    bench.store_publication(CHANNEL);
    bench.elect();
    assert_eq!(bench.ended, [CHANNEL]);
}

#[test]
fn a_loss_of_which_only_the_publishing_relay_knows_ends_the_epoch() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    let position = bench.mark();
    let lost = bench.store_publication(OTHER);
    bench.follower.acknowledged(lost.sequence(), lost.time().unwrap());
    bench.entries.pop();
    bench.last -= 1;
    bench.store_publication(OTHER);
    bench.elect();
    // Other relays, which know nothing of the loss, see a mark of another epoch.
    assert_eq!(bench.ended, [CHANNEL]);
    assert_eq!(bench.resets, [ResetReason::Lost]);
    assert_ne!(bench.epoch, EPOCH);
    // Nothing before the new epoch is called complete.
    let (_, recovered, _) = bench.subscribed(OTHER, Some(Since::ReplaySeconds(1)));
    assert!(!recovered && !bench.denied(OTHER, position).1);
}

#[test]
fn a_receipt_that_the_stream_has_ends_nothing() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    let stored = bench.store_publication(OTHER);
    bench.follower.acknowledged(stored.sequence(), stored.time().unwrap());
    bench.elect();
    assert_eq!((bench.ended.clone(), bench.epoch), (vec![], EPOCH));
}

#[test]
fn messages_that_were_discarded_before_the_relay_got_them_end_no_epoch() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    let anchor = bench.mark();
    bench.store_publication(CHANNEL);
    bench.store_mark();
    bench.first = anchor.offset + 1;
    bench.elect();
    assert_eq!((bench.ended.clone(), bench.epoch), (vec![CHANNEL], EPOCH));
    assert_eq!(bench.resets, [ResetReason::Discarded]);
}

#[test]
fn a_leader_that_cannot_store_a_mark_ends_nothing() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.publish(CHANNEL);
    // A former leader lacks the publication, and has no majority.
    let newest = bench.entries.pop().unwrap();
    (bench.last, bench.stores) = (bench.last - 1, false);
    bench.elect();
    assert!(bench.ended.is_empty());
    bench.entries.push(newest);
    (bench.last, bench.stores) = (bench.last + 1, true);
    bench.elect();
    assert_eq!((bench.ended.clone(), bench.delivered.clone()), (vec![], vec![2]));
}

#[test]
fn a_mark_of_another_epoch_ends_every_subscription() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.epoch += 1;
    bench.mark();
    assert_eq!(bench.ended, [CHANNEL]);
    assert_eq!(bench.resets, [ResetReason::NewEpoch]);
}

#[test]
fn a_mark_that_arrived_and_is_lost_ends_the_epoch() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.answers_at_once = false;
    bench.mark();
    bench.kept.clear();
    bench.entries.pop();
    bench.last -= 1;
    bench.answers_at_once = true;
    bench.elect();
    assert_eq!((bench.ended.clone(), bench.epoch), (vec![CHANNEL], EPOCH + 1));
    assert_eq!(bench.resets, [ResetReason::Lost]);
    // The next mark continues the one that the stream has.
    assert_eq!(bench.follower.last_mark(), Some((EPOCH + 1, bench.last)));
}

#[test]
fn a_former_leader_that_lacks_messages_ends_nothing() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.publish(CHANNEL);
    let (entries, info) = (bench.entries[..1].to_vec(), StreamInfo { last: 1, ..bench.info() });
    bench.answers_at_once = false;
    bench.follower.unlinked();
    bench.link();
    let Some(FollowerAction::ReadStream { request, .. }) = bench.kept.pop() else { panic!("no read") };
    bench.follower.stream_read(&mut bench.hub, request, entries, &info, bench.now);
    // Meanwhile the server learns of its successor, to which it passes the next requests on.
    bench.run();
    bench.perform_kept();
    assert_eq!((bench.ended.clone(), bench.epoch), (vec![], EPOCH));
    bench.publish(CHANNEL);
    assert_eq!(bench.delivered, [2, 4]);
}

#[test]
fn former_contents_that_come_back_get_another_epoch() {
    let mut bench = Bench::following();
    let former = bench.entries.clone();
    // All servers but one lose the contents, and a relay begins an epoch for the new ones.
    (bench.entries, bench.last, bench.epoch) = (vec![], 0, EPOCH + 1);
    bench.store_mark();
    bench.elect();
    bench.subscribed(CHANNEL, None);
    bench.publish(CHANNEL);
    let position = Position { epoch: EPOCH, offset: 1, time_ms: former[0].time().unwrap().0 };
    // The one with the former contents leads.
    (bench.entries, bench.last, bench.epoch) = (former, 1, EPOCH);
    bench.elect();
    assert_eq!(bench.ended, [CHANNEL]);
    assert_eq!(bench.resets, [ResetReason::NewEpoch, ResetReason::FormerContents]);
    assert!(bench.epoch != EPOCH && !bench.denied(CHANNEL, position).1);
}

#[test]
fn a_forged_publication_of_the_future_is_found_at_the_next_mark() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    let Entry::Publication(forged) = bench.store_publication(CHANNEL) else { unreachable!() };
    bench.entries.pop();
    bench.last -= 1;
    let forged = StoredPublication { sequence: u64::MAX, ..forged };
    bench.follower.publication_arrived(&mut bench.hub, forged, 0, bench.now);
    bench.run();
    bench.mark();
    assert_eq!(bench.ended, [CHANNEL]);
    bench.subscribed(CHANNEL, None);
    bench.delivered.clear();
    let offset = bench.publish(CHANNEL);
    assert_eq!(bench.delivered, [offset]);
}

#[test]
fn a_forged_mark_of_the_future_is_found_at_once() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    let forged = Mark { sequence: u64::MAX, epoch: EPOCH, time: bench.now.wall };
    bench.follower.mark_arrived(forged, 0);
    bench.run();
    assert_eq!((bench.relinks, bench.ended.clone()), (1, vec![CHANNEL]));
    let mark = bench.mark();
    assert_eq!(bench.proven.last(), Some(&mark.offset));
}
