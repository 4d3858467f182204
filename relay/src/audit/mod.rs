//! The audit log: every refused attempt, under the tracing target `audit`. Never a token, payload or channel name. Who
//! floods it is counted instead of written down.

mod flood;
pub(crate) mod trace;

use crate::{
    audit::trace::Source,
    critical_task,
    metrics::Metrics,
    session::{Identity, Refusal},
    websocket::Violation,
};
use flood::{Flood, Flooder, Suppressed};
use sealwire_protocol::{Code, UnixSeconds};
use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

const TARGET: &str = "audit";

pub(crate) struct Audit {
    flood: Mutex<Flood>,
    metrics: Arc<Metrics>,
}

impl Audit {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        Self { flood: Mutex::new(Flood::new(Instant::now())), metrics }
    }

    /// An attempt that the rules refused.
    pub(crate) fn refused(&self, refusal: &Refusal, source: &Source) {
        self.write(refusal.attempt, refusal.code, refusal.identity.as_ref(), source);
    }

    /// An app ended sessions: of one account, or of everybody whom the request named.
    pub(crate) fn revoked(&self, identity: &Identity, before: UnixSeconds, source: &Source) {
        tracing::info!(
            target: TARGET,
            app = identity.app,
            installation = identity.installation,
            account = identity.account,
            before = before.0,
            remote = %source.remote,
            trace = %source.trace,
            "sessions revoked"
        );
    }

    /// A frame that breaks RFC 6455.
    pub(crate) fn violation(&self, identity: Option<&Identity>, violation: Violation, source: &Source) {
        tracing::debug!(remote = %source.remote, trace = %source.trace, %violation, "closing a connection");
        self.write("frame", Code::MalformedFrame, identity, source);
    }

    /// Writes down what was only counted in the seconds that are over; called every now and then.
    pub(crate) fn summarize(&self) {
        let suppressed = self.flood(|flood| flood.turn(Instant::now()));
        summarize(suppressed);
    }

    fn write(&self, attempt: &'static str, code: Code, identity: Option<&Identity>, source: &Source) {
        self.metrics.refusals.add(code);
        let flooder = Flooder::new(source.remote, identity.map(|identity| identity.app.as_str()));
        let (admitted, suppressed) = self.flood(|flood| flood.admit(flooder, Instant::now()));
        summarize(suppressed);
        if !admitted {
            self.metrics.audit_suppressed.add(1);
            return;
        }
        // Debug of the strings quotes them: an account id cannot forge a line of the log.
        tracing::warn!(
            target: TARGET,
            attempt,
            code = code.name(),
            app = identity.map(|identity| identity.app.as_str()),
            installation = identity.map(|identity| identity.installation.as_str()),
            account = identity.and_then(|identity| identity.account.as_deref()),
            remote = %source.remote,
            trace = %source.trace,
            "refused"
        );
    }

    fn flood<T>(&self, ask: impl FnOnce(&mut Flood) -> T) -> T {
        let mut flood = critical_task::unpoisoned(self.flood.lock());
        ask(&mut flood)
    }
}

fn summarize(suppressed: Vec<Suppressed>) {
    for Suppressed { flooder, count } in suppressed {
        tracing::warn!(
            target: TARGET,
            app = flooder.as_ref().and_then(Flooder::app),
            remote = flooder.as_ref().map(|flooder| tracing::field::display(flooder.network())),
            suppressed = count,
            "refused and only counted"
        );
    }
}
