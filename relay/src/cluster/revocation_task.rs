//! Follows the revocations of the cluster: hears each at once, reads the log once a second, and wakes the sessions that a
//! revocation may end.

use super::revocations::{JetStreamLog, Position, Replica};
use crate::{
    auth::revocations::SharedRevocation, clock::Now, connection::Registry, limits::Limits,
    nats::NatsConnection, presence::Presences,
};
use async_nats::Subscriber;
use futures_util::{StreamExt as _, stream::SelectAll};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// The interval in which the log is read.
const READ_INTERVAL: Duration = Duration::from_secs(1);
/// The interval until it was read once, while the relay admits no sessions.
const START_INTERVAL: Duration = Duration::from_millis(100);
/// The interval in which the connections are checked.
const OUTAGE_INTERVAL: Duration = Duration::from_millis(50);
/// The shortest time between two lines in the log about a failure.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// The task that follows the log.
pub(super) struct RevocationFollower {
    pub(super) replica: Arc<Replica<JetStreamLog>>,
    pub(super) connections: Vec<NatsConnection>,
    pub(super) limits: Arc<Limits>,
    pub(super) registry: Arc<Registry>,
    pub(super) presences: Arc<Presences>,
    pub(super) ended: CancellationToken,
}

/// The state of following the log.
struct Following {
    position: Position,
    is_prepared: bool,
    last_logged: Instant,
}

impl RevocationFollower {
    pub(super) async fn run(self) {
        let mut heard = self.subscribe().await;
        let hear = async {
            while let Some(message) = heard.next().await {
                if let Some(revocation) = self.replica.hear(&message.payload, Now::read()) {
                    self.wake(&revocation).await;
                }
            }
            // Without a subscription, reading the log still finds every revocation.
            std::future::pending::<()>().await;
        };
        let read = async {
            // A relay that starts needs a moment to connect.
            let last_logged = Instant::now();
            let mut following = Following { position: Position::default(), is_prepared: false, last_logged };
            loop {
                let is_read = self.read(&mut following).await;
                sleep(if is_read { READ_INTERVAL } else { START_INTERVAL }).await;
            }
        };
        tokio::select! {
            () = self.ended.cancelled() => {}
            () = hear => {}
            () = read => {}
            () = self.notice_outages() => {}
        }
    }

    /// Counts the relay as behind as soon as no server is connected: until the log was read again, its contents may have been
    /// lost, and revocations may have been added.
    async fn notice_outages(&self) {
        loop {
            if !self.connections.iter().any(NatsConnection::is_connected) {
                self.replica.fall_behind();
            }
            sleep(OUTAGE_INTERVAL).await;
        }
    }

    async fn subscribe(&self) -> SelectAll<Subscriber> {
        let mut all = SelectAll::new();
        for connection in &self.connections {
            match connection.client().subscribe(self.replica.log().subject()).await {
                Ok(subscriber) => all.push(subscriber),
                Err(error) => tracing::error!(%error, "cannot hear revocations at once"),
            }
        }
        all
    }

    /// Reads the log. Returns whether the relay has read it at least once.
    async fn read(&self, following: &mut Following) -> bool {
        let mut new = Vec::new();
        let mut followed = match following.is_prepared {
            true => Ok(()),
            false => self.replica.log().prepare().await,
        };
        if followed.is_ok() {
            followed = self.replica.follow(&mut following.position, Now::read(), &mut new).await;
        } else {
            self.replica.fall_behind();
        }
        // A stream that was removed is created again.
        following.is_prepared = followed.is_ok();
        if let Err(error) = followed
            && following.last_logged.elapsed() >= LOG_INTERVAL
        {
            following.last_logged = Instant::now();
            tracing::warn!(%error, "the relay cannot read the revocations of its cluster at the moment");
        }
        for revocation in &new {
            self.wake(revocation).await;
        }
        self.replica.is_read()
    }

    async fn wake(&self, revocation: &SharedRevocation) {
        let installation = self.limits.local_key(&revocation.installation);
        let account = revocation.selection.account.map(|account| self.limits.local_key(&account));
        self.registry.wake_for_revocation(installation, account).await;
        self.presences.end_graces(installation, account);
    }
}
