//! Checks of the transport settings: the listening address, the end of TLS, and the proxies in front.

use super::{Config, ConfigError, ConfigOrigin};
use crate::{
    clock::Now,
    settings::{Listen, Settings, key},
    tls::{LoadError, Tls},
};

impl Config {
    /// Reads the certificate, and refuses settings that contradict each other or that would send plain text to other
    /// machines.
    pub(super) fn check_transport(&mut self) -> Result<(), ConfigError> {
        self.tls = self.load_tls()?;
        if self.tls.is_some() && self.settings.proxy_terminates_tls {
            let problem = "contradicts tls_certificate: either the proxy terminates TLS or the relay does; remove one of \
                           them. If the proxy also uses TLS to the relay, keep the certificate and list the proxy in \
                           trusted_proxies";
            return Err(error(key!(proxy_terminates_tls), problem));
        }
        self.check_listen()?;
        check_proxy_protocol(&self.settings)
    }

    fn load_tls(&mut self) -> Result<Option<Tls>, ConfigError> {
        let (certificate, key) = match (&self.settings.tls_certificate, &self.settings.tls_key) {
            (None, None) => return Ok(None),
            (Some(_), None) => return Err(error(key!(tls_key), "is missing; tls_certificate needs it")),
            (None, Some(_)) => return Err(error(key!(tls_certificate), "is missing; tls_key needs it")),
            (Some(certificate), Some(key)) => (certificate, key),
        };
        // The file's mode is checked with those of the signing keys.
        self.secret_files.push(key.clone());
        let loaded = Tls::load(certificate, key, Now::read().wall.seconds());
        loaded.map(Some).map_err(|load_error| match load_error {
            LoadError::Certificate(problem) => {
                error(key!(tls_certificate), format!("{}: {problem}", certificate.display()))
            }
            LoadError::Key(problem) => error(key!(tls_key), format!("{}: {problem}", key.display())),
        })
    }

    fn check_listen(&self) -> Result<(), ConfigError> {
        match &self.settings.listen {
            Listen::Tcp(address)
                if !address.ip().is_loopback()
                    && !self.settings.proxy_terminates_tls
                    && self.tls.is_none() =>
            {
                let problem = format!(
                    "{address} can be reached from other machines, and the relay has no certificate; give it one \
                     (tls_certificate, tls_key), or put a proxy that terminates TLS in front and set \
                     proxy_terminates_tls = true, or listen on 127.0.0.1"
                );
                Err(error(key!(listen), problem))
            }
            Listen::Unix(_) if self.tls.is_some() => {
                let problem = "a Unix domain socket uses plain text, because only this machine can reach it; remove \
                               tls_certificate and tls_key, or listen on an address";
                Err(error(key!(listen), problem))
            }
            _ => Ok(()),
        }
    }
}

fn check_proxy_protocol(settings: &Settings) -> Result<(), ConfigError> {
    if settings.proxy_protocol
        && settings.trusted_proxies.is_empty()
        && matches!(settings.listen, Listen::Tcp(_) | Listen::Systemd)
    {
        let problem = "is accepted only from trusted proxies, and trusted_proxies is empty; list their addresses there, \
                       such as 10.0.0.0/8";
        return Err(error(key!(proxy_protocol), problem));
    }
    Ok(())
}

fn error(setting: &'static str, problem: impl Into<String>) -> ConfigError {
    ConfigError { origin: ConfigOrigin::Setting(setting), problem: problem.into() }
}
