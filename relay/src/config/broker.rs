//! The checks of the settings for a NATS cluster, and of the files that they name.

use super::{Config, ConfigError, ConfigOrigin};
use crate::settings::{BrokerAddress, key};
use std::{fs, path::PathBuf};

impl Config {
    /// Checks the settings of the broker. Secrets stay in their files, which are read again at each connect.
    pub(super) fn check_broker(&mut self) -> Result<(), ConfigError> {
        let settings = &self.settings;
        let error = |setting, problem: &str| {
            Err(ConfigError { origin: ConfigOrigin::Setting(setting), problem: problem.to_owned() })
        };
        let files = [
            (key!(broker_credentials), &settings.broker_credentials, true),
            (key!(broker_password_file), &settings.broker_password_file, true),
            (key!(broker_token_file), &settings.broker_token_file, true),
            (key!(broker_ca), &settings.broker_ca, false),
            (key!(broker_certificate), &settings.broker_certificate, false),
            (key!(broker_key), &settings.broker_key, true),
        ];
        let named: Vec<(&'static str, PathBuf, bool)> = files
            .into_iter()
            .filter_map(|(setting, path, is_secret)| Some((setting, path.clone()?, is_secret)))
            .collect();
        if settings.broker == BrokerAddress::Embedded {
            return match named.first() {
                Some((setting, ..)) => {
                    error(setting, "has no effect without a NATS cluster; set broker as well")
                }
                None if !settings.broker_user.is_empty() => {
                    error(key!(broker_user), "has no effect without a NATS cluster; set broker as well")
                }
                None => Ok(()),
            };
        }
        if settings.broker_user.is_empty() != settings.broker_password_file.is_none() {
            return error(key!(broker_user), "needs broker_password_file, and the other way round; set both");
        }
        let ways = [
            settings.broker_credentials.is_some(),
            settings.broker_password_file.is_some(),
            settings.broker_token_file.is_some(),
        ];
        if ways.iter().filter(|is_set| **is_set).count() > 1 {
            let problem = "NATS accepts one kind of authentication; keep one of broker_credentials, broker_user and \
                           broker_token_file";
            return error(key!(broker), problem);
        }
        if settings.broker_certificate.is_some() != settings.broker_key.is_some() {
            return error(key!(broker_certificate), "needs broker_key, and the other way round; set both");
        }
        if settings.replay_window.is_zero() {
            return error(
                key!(replay_window),
                "must not be 0s with a NATS cluster; set at least twice heartbeat",
            );
        }
        self.check_broker_files(named)
    }

    /// Checks the files that the settings name. Their contents are read again at each connect.
    fn check_broker_files(&mut self, named: Vec<(&'static str, PathBuf, bool)>) -> Result<(), ConfigError> {
        for (setting, path, is_secret) in named {
            let read = fs::read(&path).map(zeroize::Zeroizing::new);
            let bytes = read.map_err(|error| ConfigError {
                origin: ConfigOrigin::Setting(setting),
                problem: format!("the file {} cannot be read: {error}", path.display()),
            })?;
            if bytes.trim_ascii().is_empty() {
                let problem = format!("the file {} is empty", path.display());
                return Err(ConfigError { origin: ConfigOrigin::Setting(setting), problem });
            }
            if is_secret && !self.secret_files.contains(&path) {
                self.secret_files.push(path);
            }
        }
        Ok(())
    }
}
