//! The servers that can be measured, their names and dialects.

use crate::{load::dialect::Dialect, results::Subject};
use clap::ValueEnum;

/// A server that fans messages out over WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Kind {
    /// The relay of this repository.
    Sealwire,
    /// The relay of this repository, with TLS.
    SealwireTls,
    /// Another build of the relay, to compare with in the same run.
    Baseline,
    /// The other build of the relay, with TLS.
    BaselineTls,
    /// The bare limit with one write per delivery.
    LimitSingle,
    /// The bare limit that coalesces waiting messages.
    LimitCoalesced,
    /// uWebSockets through its Python binding.
    Socketify,
    Nats,
    Nchan,
    /// The package `ws` on Node.js.
    Ws,
    SocketIo,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sealwire => "Sealwire",
            Self::SealwireTls => "Sealwire with TLS",
            Self::Baseline => "Sealwire, the build compared with",
            Self::BaselineTls => "Sealwire with TLS, the build compared with",
            Self::LimitSingle => "limit: one write per delivery",
            Self::LimitCoalesced => "limit: coalesced",
            Self::Socketify => "uWebSockets (socketify)",
            Self::Nats => "NATS over WebSocket",
            Self::Nchan => "nchan",
            Self::Ws => "Node ws",
            Self::SocketIo => "socket.io",
        }
    }

    pub(crate) fn subject(self) -> Subject {
        Subject::new(self as usize, self.name())
    }

    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Sealwire | Self::SealwireTls | Self::Baseline | Self::BaselineTls => Dialect::Sealwire,
            Self::LimitSingle | Self::LimitCoalesced | Self::Socketify | Self::Ws => Dialect::Plain,
            Self::Nats => Dialect::Nats,
            Self::Nchan => Dialect::Nchan,
            Self::SocketIo => Dialect::SocketIo,
        }
    }

    /// Returns whether the server has TLS.
    pub(crate) fn has_tls(self) -> bool {
        matches!(self, Self::SealwireTls | Self::BaselineTls)
    }

    pub(crate) fn is_limit(self) -> bool {
        matches!(self, Self::LimitSingle | Self::LimitCoalesced)
    }

    pub(crate) fn is_peer(self) -> bool {
        !self.is_limit() && self.dialect() != Dialect::Sealwire
    }
}
