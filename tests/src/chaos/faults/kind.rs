//! The kinds of faults, and those that a run can show.

use crate::chaos::broker_kind::BrokerKind;

/// One kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[allow(missing_docs, reason = "the names say it")]
pub enum FaultKind {
    KillRelay,
    StopRelay,
    DrainRelay,
    CutClients,
    StallClients,
    KillServer,
    StopServer,
    ShutDownServer,
    KillLeader,
    StopLeader,
    KillTwoServers,
    StopTwoServers,
    KillAllServers,
    CutBroker,
    RefuseBroker,
    StallBroker,
    DelayBroker,
    LimitBroker,
    CutRoutes,
    RefuseRoutes,
    StallRoutes,
    DelayRoutes,
    LimitRoutes,
    RollingRestart,
    ChangePassword,
    RenewCertificates,
    UnplugServer,
    UnplugLeader,
    UnplugTwoServers,
    UnplugAllServers,
    UnplugRelay,
    SeparateServers,
    SeparateBroker,
}

use FaultKind::*;

/// The faults of a relay without NATS.
const OF_RELAYS: [FaultKind; 5] = [CutClients, KillRelay, StallClients, StopRelay, DrainRelay];

/// The faults of a cluster. The first ones are those of a short run.
const OF_CLUSTERS: [FaultKind; 26] = [
    KillRelay,
    KillLeader,
    CutClients,
    StopServer,
    StallBroker,
    KillTwoServers,
    StopRelay,
    RefuseRoutes,
    KillAllServers,
    DrainRelay,
    ChangePassword,
    RenewCertificates,
    StopLeader,
    CutBroker,
    StallRoutes,
    KillServer,
    StopTwoServers,
    RefuseBroker,
    DelayBroker,
    LimitBroker,
    CutRoutes,
    DelayRoutes,
    LimitRoutes,
    ShutDownServer,
    StallClients,
    RollingRestart,
];

/// The faults of a cluster of hosts. Nothing but the network is between its processes, so it has no faults of proxies there.
const OF_HOSTS: [FaultKind; 22] = [
    UnplugLeader,
    UnplugRelay,
    SeparateServers,
    UnplugTwoServers,
    SeparateBroker,
    KillRelay,
    UnplugServer,
    KillLeader,
    UnplugAllServers,
    StopServer,
    CutClients,
    KillTwoServers,
    DrainRelay,
    StopRelay,
    KillAllServers,
    ChangePassword,
    StopLeader,
    KillServer,
    StopTwoServers,
    ShutDownServer,
    StallClients,
    RollingRestart,
];

impl FaultKind {
    /// Returns the faults that a run can show, the most telling ones first.
    pub(in crate::chaos) fn all(broker: BrokerKind) -> Vec<Self> {
        match broker {
            BrokerKind::Embedded => OF_RELAYS.to_vec(),
            BrokerKind::Nats { .. } => OF_CLUSTERS.to_vec(),
            BrokerKind::NatsOnHosts { .. } => OF_HOSTS.to_vec(),
        }
    }
}
