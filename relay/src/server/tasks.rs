//! The background tasks of a relay. All of them stop when `ended` is cancelled.

use super::state::SharedState;
use crate::{
    admin::{self, Console, OperatorState},
    critical_task,
    http::HttpContext,
    listener::{Listener, accept::accept},
    memory::{self, Holder},
    output,
    stall_detector::{self, StallDetector},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpListener,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

/// The interval in which expired publications are removed, and suppressed or dropped log lines are reported.
pub(super) const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(1);

/// The shortest standstill of the process that is logged.
const LOGGED_STANDSTILL: Duration = Duration::from_secs(5);

/// Spawns all tasks of a relay. It accepts connections from here on.
pub(super) fn spawn(
    state: &SharedState,
    http: &Arc<HttpContext>,
    listener: Listener,
    admin_listener: Option<TcpListener>,
) {
    let ended = || state.ended.clone();
    critical_task::spawn("timers", state.timers.clone().run(ended()));
    critical_task::spawn("presence", state.presences.clone().run(ended()));
    let stall_detector = state.stall_detector.clone();
    critical_task::spawn(
        "stall_detector",
        every(stall_detector::TICK_INTERVAL, ended(), move || beat(&stall_detector)),
    );
    spawn_shedding(state);
    let audit = state.audit.clone();
    let report = move || {
        audit.summarize();
        output::report_dropped();
    };
    tokio::spawn(every(HOUSEKEEPING_INTERVAL, ended(), report));
    critical_task::spawn("accept", accept(listener, http.clone(), ended(), state.tasks.clone()));
    if let Some(listener) = admin_listener {
        let console = Console::new(http.clone());
        tokio::spawn(console.clone().run(ended()));
        let operators = OperatorState { exposition: state.exposition(http), console };
        tokio::spawn(admin::serve(listener, operators, ended()));
    }
}

/// Spawns the task that evicts publications and ends connections when memory is short.
fn spawn_shedding(state: &SharedState) {
    let (broker, registry, http_connections) =
        (state.broker.clone(), state.registry.clone(), state.http_connections.clone());
    let evict = move |bytes| broker.evict(bytes);
    let holders = move || {
        let connections = registry.all().into_iter().map(|connection| connection as Arc<dyn Holder>);
        http_connections.holders().chain(connections).collect()
    };
    let shed = memory::shed(state.memory.clone(), evict, holders, state.ended.clone());
    critical_task::spawn("shedding", shed);
}

/// Records that the relay runs, and logs that it stood still before.
fn beat(stall_detector: &StallDetector) {
    if let Some(duration) =
        stall_detector.tick(Instant::now()).filter(|duration| *duration >= LOGGED_STANDSTILL)
    {
        tracing::warn!(
            ?duration,
            "the relay stood still, because its process or machine was stopped or overloaded"
        );
    }
}

/// Calls `act` periodically until the relay has ended.
pub(super) async fn every(period: Duration, ended: CancellationToken, act: impl Fn()) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while ended.run_until_cancelled(ticks.tick()).await.is_some() {
        act();
    }
}
