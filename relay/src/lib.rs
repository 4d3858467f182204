//! sealwire-relay.
