//! An authority with a certificate for servers and one for clients.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::{
    fs::{self, Permissions},
    net::IpAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// The PEM files of a test's authority.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The certificate of the authority.
    pub authority: PathBuf,
    /// The certificate of the servers.
    pub server: PathBuf,
    /// The private key of [`Self::server`].
    pub server_key: PathBuf,
    /// The certificate of the clients.
    pub client: PathBuf,
    /// The private key of [`Self::client`].
    pub client_key: PathBuf,
}

impl Certificates {
    /// Issues certificates for 127.0.0.1 and other addresses, and writes them into a folder. Files that exist are replaced.
    ///
    /// # Panics
    /// If the folder takes no files.
    #[must_use]
    pub fn issue(folder: &Path, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        let mut authority = CertificateParams::new(Vec::new()).expect("there is no name");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(authority, key()).expect("the parameters are valid");
        let file = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).expect("the folder takes files");
            fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("the file is ours");
            path
        };
        let mut names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        names.extend(addresses.into_iter().map(|address| address.to_string()));
        let issue = |name: &str| {
            let key = key();
            let certificate =
                CertificateParams::new(names.clone()).expect("the names are valid").signed_by(&key, &issuer);
            let certificate = certificate.expect("the authority can sign");
            (
                file(&format!("{name}.pem"), &certificate.pem()),
                file(&format!("{name}.key"), &key.serialize_pem()),
            )
        };
        let (server, server_key) = issue("server");
        let (client, client_key) = issue("client");
        Self { authority: file("authority.pem", &issuer.pem()), server, server_key, client, client_key }
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("the system has randomness")
}
