//! The same cases on relays with the embedded broker and on relays of a NATS cluster, through their public interface.
#![allow(clippy::unwrap_used)]

mod cases;
mod stage;

use stage::Stage;

/// Makes a test of each case for each broker.
macro_rules! cases {
    ($($case:ident,)+) => {
        mod embedded {
            $(#[test]
            fn $case() {
                crate::cases::$case(&crate::Stage::embedded());
            })+
        }

        mod nats {
            $(#[test]
            fn $case() {
                crate::cases::$case(&crate::Stage::nats());
            })+
        }
    };
}

cases! {
    publications_arrive_once_and_in_order_and_form_a_chain,
    a_subscriber_of_another_relay_receives_everything,
    a_replay_by_seconds_has_the_earlier_publications,
    a_resume_from_a_position_has_everything_after_it_and_is_recovered,
    a_resume_on_a_silent_channel_is_recovered,
    a_resume_from_the_future_or_of_another_epoch_is_not_recovered,
    a_repeat_under_its_id_has_the_first_answer_and_is_not_published_again,
    another_message_under_a_used_id_is_refused,
    channels_of_the_same_name_in_two_installations_are_separate,
    a_message_for_others_is_not_heard,
    after_a_loss_of_everything_an_old_position_is_not_recovered,
}

/// The streams are spread over the servers, so a relay that knows all of them finds each leader.
#[test]
fn five_servers_with_three_copies_of_each_stream_outlive_a_leader() {
    let stage = Stage::on_servers(5);
    cases::a_subscriber_of_another_relay_receives_everything(&stage);
    let nats = stage.relays.nats().unwrap();
    let streams = nats.streams();
    let leader = streams.iter().find_map(|stream| nats.leader_of(stream)).unwrap();
    nats.kill(leader);
    // Until then, a relay that is ready may refuse a subscription, which a page would repeat.
    assert!(nats.await_elections(&streams, leader, stage::READY_TIMEOUT), "{}", nats.log_tails());
    assert!(stage.relays.await_ready(stage::READY_TIMEOUT), "{}", stage.relays.log_tail(0));
    cases::a_subscriber_of_another_relay_receives_everything(&stage);
}
