//! Minting and sealing for Forge resolvers: plain functions of plain objects. The caller brings the clock.

mod inputs;
mod message;
mod random;
mod secret;
mod token;

pub use message::seal;
pub use secret::{new_installation_secret, rotate};
pub use token::{mint_backend_token, mint_session, sign_channel_token};

#[cfg(all(test, target_arch = "wasm32"))]
mod tests;
