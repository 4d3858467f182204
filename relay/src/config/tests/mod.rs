//! Tests of the configuration as a whole, and their fixtures.

mod apps_dir;
mod apps_dir_watch;
mod errors;
mod sources;
mod template;
mod transport;

use super::*;
use crate::settings::Setting;
use sealwire_protocol::encode_base64url;
use std::fs;

fn setting(key: &str) -> &'static Setting {
    Setting::find(key).unwrap()
}

fn key(kid: &str, bytes: usize) -> String {
    format!("{kid}.{}", encode_base64url(vec![5; bytes]))
}

fn app(id: &str, kid: &str) -> String {
    format!("[[app]]\nid = \"{id}\"\nsigning_keys = [\"{}\"]\n", key(kid, 64))
}

fn load_with(text: &str, environment: &[(&str, &str)], flags: &Overrides) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("relay.toml");
    fs::write(&path, text).unwrap();
    fs::write(directory.path().join("good.key"), format!("{}\n", key("file", 64))).unwrap();
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(Some(&path), environment, flags)
}

fn load(text: &str) -> Result<Config, ConfigError> {
    load_with(text, &[], &Overrides::default())
}

/// The directory of a certificate and its key, and the settings that name them.
fn tls_files() -> (tempfile::TempDir, String) {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("chain.pem"), certified.cert.pem()).unwrap();
    fs::write(directory.path().join("key.pem"), certified.signing_key.serialize_pem()).unwrap();
    let path = directory.path().display();
    let text = format!("tls_certificate = \"{path}/chain.pem\"\ntls_key = \"{path}/key.pem\"\n");
    (directory, text)
}
