//! How a configuration says that clients reach the relay: where it listens, who ends TLS, who stands in between.

use super::{Config, ConfigError, Origin};
use crate::{
    clock::Now,
    settings::{Listen, key},
    tls::{LoadError, Tls},
};

impl Config {
    /// Reads the certificate, and refuses what contradicts itself or would speak plain text to other machines.
    pub(super) fn check_transport(&mut self) -> Result<(), ConfigError> {
        let fault = |setting: &'static str, problem: String| {
            Err(ConfigError { origin: Origin::Setting(setting), problem })
        };
        self.tls = match (&self.settings.tls_certificate, &self.settings.tls_key) {
            (None, None) => None,
            (Some(_), None) => {
                return fault(key!(tls_key), "is missing; tls_certificate needs it".to_owned());
            }
            (None, Some(_)) => {
                return fault(key!(tls_certificate), "is missing; tls_key needs it".to_owned());
            }
            (Some(certificate), Some(key)) => {
                // Its mode is looked at with those of the signing keys.
                self.secret_files.push(key.clone());
                match Tls::load(certificate, key, Now::read().wall.seconds()) {
                    Ok(tls) => Some(tls),
                    Err(LoadError::Certificate(error)) => {
                        return fault(key!(tls_certificate), format!("{}: {error}", certificate.display()));
                    }
                    Err(LoadError::Key(error)) => {
                        return fault(key!(tls_key), format!("{}: {error}", key.display()));
                    }
                }
            }
        };
        if self.tls.is_some() && self.settings.proxy_terminates_tls {
            let problem = "the relay has a certificate as well (tls_certificate), so who ends TLS? Remove one of both; \
                           where a proxy speaks TLS to the relay too, keep the certificate and name the proxy in \
                           trusted_proxies";
            return fault(key!(proxy_terminates_tls), problem.to_owned());
        }
        match &self.settings.listen {
            Listen::Tcp(address)
                if !address.ip().is_loopback()
                    && !self.settings.proxy_terminates_tls
                    && self.tls.is_none() =>
            {
                let problem = format!(
                    "{address} can be reached from other machines, and the relay has no certificate; give it one \
                     (tls_certificate, tls_key), or put a proxy that ends TLS in front and set \
                     proxy_terminates_tls = true, or listen on 127.0.0.1"
                );
                return fault(key!(listen), problem);
            }
            Listen::Unix(_) if self.tls.is_some() => {
                let problem = "a Unix domain socket speaks plain text, since only this machine gets at it; remove \
                               tls_certificate and tls_key, or listen on an address";
                return fault(key!(listen), problem.to_owned());
            }
            _ => {}
        }
        if self.settings.proxy_protocol
            && self.settings.trusted_proxies.is_empty()
            && matches!(self.settings.listen, Listen::Tcp(_) | Listen::Systemd)
        {
            let problem = "is believed of trusted proxies only; name their addresses in trusted_proxies, such as \
                           10.0.0.0/8";
            return fault(key!(proxy_protocol), problem.to_owned());
        }
        Ok(())
    }
}
