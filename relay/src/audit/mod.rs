//! The audit log: one line for every refused attempt, under the tracing target `audit`. It never contains a token, a
//! payload or a channel name. Repeated failures from one source are summarised instead of logged one by one.

mod flood;
mod recent;
pub(crate) mod trace;

pub(crate) use recent::{Recent, RecentEntry, Subject};

use crate::{
    activity::{Activity, Observation},
    audit::trace::Source,
    clock::Now,
    connection::account_tag,
    critical_task,
    limits::Limits,
    metrics::Metrics,
    session::{Identity, Refusal},
    websocket::Violation,
};
use flood::{FloodGuard, FloodSource, Suppressed};
use sealwire_protocol::{Code, UnixSeconds};
use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

const TARGET: &str = "audit";

pub(crate) struct Audit {
    flood: Mutex<FloodGuard>,
    metrics: Arc<Metrics>,
    limits: Arc<Limits>,
    recent: Recent,
    observation: Observation,
}

/// The kind of an entry about a session that the relay ended, which is not an attempt.
const SESSION: &str = "session";

impl Audit {
    /// `limits` knows the keys of accounts.
    pub(crate) fn new(metrics: Arc<Metrics>, limits: Arc<Limits>, observation: Observation) -> Self {
        let flood = Mutex::new(FloodGuard::new(Instant::now()));
        Self { flood, metrics, limits, recent: Recent::default(), observation }
    }

    /// The latest lines and ended sessions, for the console.
    pub(crate) fn recent(&self) -> &Recent {
        &self.recent
    }

    /// Keeps for the console that the relay ended a session. The log has no line about it: the end is no attempt.
    pub(crate) fn ended(&self, subject: Option<Subject>, code: Code, source: &Source) {
        self.recent.add(subject, SESSION, code, source.trace.clone(), Now::read().wall);
    }

    /// Logs an attempt that was refused.
    pub(crate) fn refused(&self, refusal: &Refusal, source: &Source) {
        self.write(refusal.attempt, refusal.code, refusal.identity.as_ref(), source);
    }

    /// Logs that an app or an operator ended sessions, with the account if the request named one.
    pub(crate) fn revoked(
        &self,
        identity: &Identity,
        before: UnixSeconds,
        by: &'static str,
        source: &Source,
    ) {
        tracing::info!(
            target: TARGET,
            app = identity.app,
            installation = identity.installation,
            account = identity.account,
            before = before.0,
            by,
            remote = %source.remote,
            trace = %source.trace,
            "sessions revoked"
        );
    }

    /// Logs a frame that violates RFC 6455.
    pub(crate) fn violation(&self, identity: Option<&Identity>, violation: Violation, source: &Source) {
        tracing::debug!(remote = %source.remote, trace = %source.trace, %violation, "closing a connection");
        self.write("frame", Code::MalformedFrame, identity, source);
    }

    /// Logs the number of attempts that past windows only counted. The server calls it once a second.
    pub(crate) fn summarize(&self) {
        let suppressed = self.with_flood_guard(|flood| flood.rotate(Instant::now()));
        summarize(suppressed);
    }

    fn write(&self, attempt: &'static str, code: Code, identity: Option<&Identity>, source: &Source) {
        self.metrics.refusals.add(code);
        let remote = source.remote;
        self.observation.observe(&Activity::Refused { attempt, code, identity, remote });
        let flood_source = FloodSource::new(source.remote, identity.map(|identity| identity.app.as_str()));
        let (admitted, suppressed) = self.with_flood_guard(|flood| flood.admit(flood_source, Instant::now()));
        summarize(suppressed);
        if !admitted {
            self.metrics.audit_suppressed.add(1);
            return;
        }
        let subject = identity.map(|identity| self.subject(identity));
        self.recent.add(subject, attempt, code, source.trace.clone(), Now::read().wall);
        // `Debug` quotes and escapes the strings, so that an account id cannot forge a line of the log.
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

    /// Returns the keys of an identity.
    pub(crate) fn subject(&self, Identity { app, installation, account }: &Identity) -> Subject {
        Subject {
            installation: self.limits.tenant(app, installation).installation,
            account: account
                .as_ref()
                .map(|account| account_tag(self.limits.account(app, installation, account))),
        }
    }

    fn with_flood_guard<T>(&self, act: impl FnOnce(&mut FloodGuard) -> T) -> T {
        let mut flood = critical_task::unpoisoned(self.flood.lock());
        act(&mut flood)
    }
}

fn summarize(suppressed: Vec<Suppressed>) {
    for Suppressed { source, count } in suppressed {
        tracing::warn!(
            target: TARGET,
            app = source.as_ref().and_then(FloodSource::app),
            remote = source.as_ref().map(|source| tracing::field::display(source.network())),
            suppressed = count,
            "more refused attempts, not logged one by one"
        );
    }
}
