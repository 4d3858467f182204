//! The scenario move: a relay is killed with all clients on it, and the balancer sends them to the other one. Each client has
//! three channels: a busy one that it shares with others, a silent one of its own and a silent one that it shares.

use super::{Run, Server, Shape, quantile};
use crate::{
    open_files,
    pages::{Pace, Pages, Record},
    process,
};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

const SCENARIO: &str = "move, a relay is killed with all clients on it";
/// The clients of a busy channel. It gets two publications a second.
const CLIENTS_PER_CHANNEL: u32 = 100;
const CHANNELS_OF_A_CLIENT: u32 = 3;
const RATE_PER_CHANNEL: f64 = 2.0;
const PUBLISHERS: u32 = 10;
/// The first numbers of the silent channels.
const OWN: u32 = 1_000_000;
const SHARED: u32 = 2_000_000;
const LIMIT: Duration = Duration::from_secs(60);

pub(super) fn run(run: &mut Run<'_>) -> Result<()> {
    let clients = run.options.clients.unwrap_or_else(|| run.pick(50, 5_000));
    // The balancer has two connections for each client.
    open_files::ensure(2 * u64::from(clients), open_files::raise_limit()?)?;
    let mut arrangement = run.start(Shape::CLUSTER)?;
    let addresses = arrangement.addresses();
    let balancer = Server::balancer(&addresses)?;
    let mut pages = Pages::new()?;
    // The publishers are on the relay that survives, so that there are messages to miss.
    let busy = clients.div_ceil(CLIENTS_PER_CHANNEL);
    pages.open_all((0..PUBLISHERS).map(|_| (addresses[1], Vec::new())), LIMIT)?;
    let channels = |client: u32| vec![client % busy, OWN + client, SHARED + client % busy];
    let wanted = (0..clients).map(|client| (balancer.address, channels(client)));
    pages.open_all(wanted, 5 * LIMIT)?;
    let open = process::open_files(arrangement.relays[0].process());
    ensure!(open >= clients as usize, "only {open} of {clients} clients are on the relay to kill");

    let publishers = (0..busy).map(|channel| ((channel % PUBLISHERS) as usize, channel)).collect();
    let mut pace = Pace::new(publishers, f64::from(busy) * RATE_PER_CHANNEL);
    let settle = run.pick(Duration::from_secs(1), Duration::from_secs(10));
    pages.run(settle, &mut pace, |_| false)?;
    pages.record.forget_resumes();
    arrangement.relays[0].kill()?;
    let killed = Instant::now();
    let all = clients as usize;
    let are_back = pages.run(LIMIT, &mut pace, |record| record.resumed_pages(CHANNELS_OF_A_CLIENT) >= all)?;
    let back = pages.record.resumed_pages(CHANNELS_OF_A_CLIENT);
    ensure!(are_back, "only {back} of {clients} clients are on the other relay after {LIMIT:?}");
    let times = pages.record.resume_times(killed);
    pages.run(settle, &mut pace, |_| false)?;
    pages.run(LIMIT, &mut Pace::silent(), Record::is_complete)?;
    report(run, &pages, &times);
    Ok(())
}

fn report(run: &mut Run<'_>, pages: &Pages, times: &[Duration]) {
    let (check, noticed) = (pages.record.check(), &pages.record.noticed);
    let (recovered, others) = pages.record.resumes();
    let last = quantile(times, 1.0);
    let figures = [
        ("time until all clients are on the other relay", "s", last),
        ("time until half of the clients are on the other relay", "s", quantile(times, 0.5)),
        ("resumed channels with recovered: true", "", recovered as f64),
        ("resumed channels without recovered: true", "", others as f64),
        ("gaps reported to apps", "", noticed.gaps as f64),
        ("publications acknowledged", "", check.acknowledged as f64),
        ("deliveries", "", check.delivered as f64),
        ("messages missed", "", check.missed as f64),
        ("messages doubled", "", check.doubled as f64),
    ];
    run.add_all(SCENARIO, Shape::CLUSTER, figures);
    run.aims.at_most("move: time until all clients are on the other relay", last, 10.0, "s");
    run.aims.at_most("move: resumed channels without recovered: true", others as f64, 0.0, "");
    run.aims.at_most("move: gaps reported to apps", noticed.gaps as f64, 0.0, "");
    run.aims.never("move: messages missed", check.missed);
    run.aims.never("move: messages doubled", check.doubled);
}
