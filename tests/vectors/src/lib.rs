//! The protocol's test vectors. Each JSON file in this folder holds inputs and results, and [`check_all`] recomputes every
//! result. The same check runs natively, as WebAssembly and as plain JavaScript. `independent.test.mjs` recomputes the
//! results without any code of Sealwire.

mod cases;
mod check;
mod hex;

pub use cases::{
    AppKey, BatchCase, CertificateCase, ChannelCase, CodeCase, EntryCase, FrameCase, IdempotencyCase,
    KeyCase, NameTagCase, SealedCase, TokenCase, TokenVectors, XaesCase, file, load,
};
pub use check::{Checked, check_all};
pub use hex::{from_hex, to_hex};
