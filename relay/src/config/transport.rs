//! How a configuration says that clients reach the relay: where it listens, who ends TLS, who stands in between.

use super::{Config, ConfigError, Listen, Origin, Setting};
use crate::{
    clock::Now,
    tls::{LoadError, Tls},
};

impl Config {
    /// Reads the certificate, and refuses what contradicts itself or would speak plain text to other machines.
    pub(super) fn check_transport(&mut self) -> Result<(), ConfigError> {
        let fault = |setting: Setting, problem: String| {
            Err(ConfigError { origin: Origin::Setting(setting.key()), problem })
        };
        self.tls = match (&self.tls_certificate, &self.tls_key) {
            (None, None) => None,
            (Some(_), None) => {
                return fault(Setting::TlsKey, "is missing; tls_certificate needs it".to_owned());
            }
            (None, Some(_)) => {
                return fault(Setting::TlsCertificate, "is missing; tls_key needs it".to_owned());
            }
            (Some(certificate), Some(key)) => {
                // Its mode is looked at with those of the signing keys.
                self.secret_files.push(key.clone());
                match Tls::load(certificate, key, Now::read().wall.seconds()) {
                    Ok(tls) => Some(tls),
                    Err(LoadError::Certificate(error)) => {
                        return fault(Setting::TlsCertificate, format!("{}: {error}", certificate.display()));
                    }
                    Err(LoadError::Key(error)) => {
                        return fault(Setting::TlsKey, format!("{}: {error}", key.display()));
                    }
                }
            }
        };
        if self.tls.is_some() && self.proxy_terminates_tls {
            let problem = "the relay has a certificate as well (tls_certificate), so who ends TLS? Remove one of both; \
                           where a proxy speaks TLS to the relay too, keep the certificate and name the proxy in \
                           trusted_proxies";
            return fault(Setting::ProxyTerminatesTls, problem.to_owned());
        }
        match &self.listen {
            Listen::Tcp(address)
                if !address.ip().is_loopback() && !self.proxy_terminates_tls && self.tls.is_none() =>
            {
                let problem = format!(
                    "{address} can be reached from other machines, and the relay has no certificate; give it one \
                     (tls_certificate, tls_key), or put a proxy that ends TLS in front and set \
                     proxy_terminates_tls = true, or listen on 127.0.0.1"
                );
                return fault(Setting::Listen, problem);
            }
            Listen::Unix(_) if self.tls.is_some() => {
                let problem = "a Unix domain socket speaks plain text, since only this machine gets at it; remove \
                               tls_certificate and tls_key, or listen on an address";
                return fault(Setting::Listen, problem.to_owned());
            }
            _ => {}
        }
        if self.proxy_protocol
            && self.trusted_proxies.is_empty()
            && matches!(self.listen, Listen::Tcp(_) | Listen::Systemd)
        {
            let problem = "is believed of trusted proxies only; name their addresses in trusted_proxies, such as \
                           10.0.0.0/8";
            return fault(Setting::ProxyProtocol, problem.to_owned());
        }
        Ok(())
    }
}
