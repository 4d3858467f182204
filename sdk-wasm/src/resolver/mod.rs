//! Tokens and sealing for Forge resolvers: functions of plain objects, which the resolver part of `js` calls. The time
//! is an argument.

mod inputs;
mod message;
mod names;
mod objects;
mod random;
mod secret;
mod token;

pub use message::{seal, settle};
pub use names::{name_of, tag_values};
pub use secret::{new_installation_secret, rotate};
pub use token::{mint_backend_token, mint_session, sign_channel_token};

#[cfg(all(test, target_arch = "wasm32"))]
mod tests;
