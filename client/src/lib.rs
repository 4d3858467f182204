//! sealwire-client.
