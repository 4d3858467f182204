//! sealwire-tests.
