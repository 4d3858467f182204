//! The scenario leader: the NATS server that leads the busiest stream is killed while pages publish.

use super::{Run, Shape, quantile, seconds};
use crate::pages::{Pace, Pages, Record};
use anyhow::{Context as _, Result, ensure};
use std::{
    thread,
    time::{Duration, Instant},
};

const SCENARIO: &str = "leader, the leader of the busiest stream is killed";
const CHANNELS: u32 = 20;
/// The subscribers of each channel, which are on both relays in turn.
const SUBSCRIBERS: u32 = 5;
/// So many that a pause of ten seconds fits into the publications that each may have without an answer.
const PUBLISHERS: usize = 50;
const LIMIT: Duration = Duration::from_secs(60);

pub(super) fn run(run: &mut Run<'_>) -> Result<()> {
    let rate = run.pick(100.0, 500.0);
    let arrangement = run.start(Shape::CLUSTER)?;
    let nats = arrangement.nats.as_ref().context("the cluster has NATS servers")?;
    let addresses = arrangement.addresses();
    let relay = |number: usize| addresses[number % addresses.len()];
    let mut pages = Pages::new()?;
    pages.open_all((0..PUBLISHERS).map(|number| (relay(number), Vec::new())), LIMIT)?;
    let subscribers = (0..CHANNELS * SUBSCRIBERS)
        .map(|number| (relay((number / CHANNELS) as usize), vec![number % CHANNELS]));
    pages.open_all(subscribers, LIMIT)?;

    let publishers = (0..PUBLISHERS).map(|page| (page, page as u32 % CHANNELS)).collect();
    let mut pace = Pace::new(publishers, rate);
    let before = run.pick(Duration::from_secs(2), Duration::from_secs(10));
    pages.run(before, &mut pace, |_| false)?;
    let (usual, _) = pages.record.longest_pauses();
    let sequences = nats.last_sequences();
    let (stream, _) = sequences.iter().max_by_key(|(_, last)| **last).context("there are no streams")?;
    let leader = nats.leader_of(stream).with_context(|| format!("{stream} has no leader"))?;
    let led: Vec<_> = sequences.keys().filter(|stream| nats.leader_of(stream) == Some(leader)).collect();
    pages.record.forget_resumes();
    nats.kill(leader);
    let killed = Instant::now();
    let elected = thread::scope(|scope| {
        let elected = scope.spawn(|| nats.await_elections(&led, leader, LIMIT).then(Instant::now));
        let continues = pages.run(LIMIT, &mut pace, |record| record.all_acknowledge_since(killed))?;
        ensure!(
            continues,
            "a channel had no acknowledgement within {LIMIT:?} of the death of {stream}'s leader"
        );
        let elected = elected.join().ok().flatten();
        elected.with_context(|| format!("some of {led:?} have no other leader after {LIMIT:?}"))
    })?;
    pages.run(before, &mut pace, |_| false)?;
    pages.run(LIMIT, &mut Pace::silent(), Record::is_complete)?;
    let election = elected.duration_since(killed);
    run.add(
        SCENARIO,
        "time until all streams of that leader have another one",
        "s",
        Shape::CLUSTER,
        seconds(election),
    );
    run.add(SCENARIO, "longest pause between acknowledgements before", "s", Shape::CLUSTER, seconds(usual));
    report(run, &pages.record);
    Ok(())
}

fn report(run: &mut Run<'_>, record: &Record) {
    let (check, noticed) = (record.check(), &record.noticed);
    let (all, of_a_channel) = record.longest_pauses();
    let times = record.acknowledgement_times();
    let pause = seconds(of_a_channel);
    let figures = [
        ("longest pause between acknowledgements of one channel", "s", pause),
        ("longest pause between acknowledgements of all channels together", "s", seconds(all)),
        ("longest time until an acknowledgement", "s", quantile(&times, 1.0)),
        ("median time until an acknowledgement", "s", quantile(&times, 0.5)),
        ("publications acknowledged", "", check.acknowledged as f64),
        ("publications refused", "", noticed.refused_publications as f64),
        ("deliveries", "", check.delivered as f64),
        ("messages lost", "", check.missed as f64),
        ("messages doubled", "", check.doubled as f64),
        ("clients that reconnected", "", noticed.reconnects as f64),
        ("gaps reported to apps", "", noticed.gaps as f64),
    ];
    run.add_all(SCENARIO, Shape::CLUSTER, figures);
    run.aims.at_most("leader: longest pause of publishing on a channel", pause, 10.0, "s");
    run.aims.never("leader: messages lost", check.missed);
    run.aims.never("leader: messages doubled", check.doubled);
    let failures = noticed.refused_publications + noticed.reconnects + noticed.gaps + noticed.failures;
    let text = "leader: refusals, reconnects, gaps and errors that clients noticed";
    run.aims.at_most(text, failures as f64, 0.0, "");
}
