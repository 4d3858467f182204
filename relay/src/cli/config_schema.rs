//! `sealwire-relay config-schema`: the JSON Schema of the configuration file.

use super::print;
use std::io;

pub(super) fn print() -> io::Result<()> {
    print::result(&format!("{:#}\n", sealwire_relay::schema()))
}
