//! The checks of the listener for operators, and the token with which operators change things in its console.

use super::{Config, ConfigError, ConfigOrigin, secret_file};
use crate::settings::key;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// The minimum and maximum length of the token, in bytes. 32 random bytes cannot be guessed, however often somebody tries.
const MIN_TOKEN: usize = 32;
const MAX_TOKEN: usize = 1024;

/// The token that permits changes. Only its SHA-256 is in memory.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminToken([u8; 32]);

impl AdminToken {
    fn new(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Returns whether a request shows this token. The comparison takes constant time.
    #[must_use]
    pub fn is(&self, shown: &str) -> bool {
        let differences = Self::new(shown).0.iter().zip(&self.0).fold(0, |all, (a, b)| all | (a ^ b));
        differences == 0
    }
}

/// Prints nothing of the token.
impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminToken").finish_non_exhaustive()
    }
}

impl Config {
    /// Refuses an address that other machines can reach without confirmation, and reads the token.
    pub(super) fn check_admin(&mut self) -> Result<(), ConfigError> {
        if let Some(address) = self.settings.admin_listen
            && !address.ip().is_loopback()
            && !self.settings.admin_public
        {
            let problem = format!(
                "{address} can be reached from other machines, which could then read the metrics and use the console; \
                 listen on 127.0.0.1, or set admin_public = true if only your own machines reach that network"
            );
            return Err(ConfigError { origin: ConfigOrigin::Setting(key!(admin_listen)), problem });
        }
        self.admin_token = self.read_token()?;
        Ok(())
    }

    fn read_token(&mut self) -> Result<Option<AdminToken>, ConfigError> {
        let Some(path) = &self.settings.admin_token_file else { return Ok(None) };
        let error = |problem: String| ConfigError {
            origin: ConfigOrigin::Setting(key!(admin_token_file)),
            problem: format!("the file {} {problem}", path.display()),
        };
        if self.settings.admin_listen.is_none() {
            let problem =
                "has no effect without the listener for operators; set admin_listen as well".to_owned();
            return Err(ConfigError { origin: ConfigOrigin::Setting(key!(admin_token_file)), problem });
        }
        // A token of the maximum length, and a line end.
        let text = secret_file::read(path, MAX_TOKEN as u64 + 2).map_err(error)?;
        let token = text.trim();
        if !(MIN_TOKEN..=MAX_TOKEN).contains(&token.len())
            || !token.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(error(format!(
                "must contain one token of {MIN_TOKEN} to {MAX_TOKEN} visible ASCII characters; write one with \
                 'openssl rand -base64 48'"
            )));
        }
        // The file's mode is checked with those of the signing keys.
        self.secret_files.push(path.clone());
        Ok(Some(AdminToken::new(token)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_itself_is_accepted_and_it_is_not_printed() {
        let text = "0123456789abcdefghijklmnopqrstuv";
        let token = AdminToken::new(text);
        assert!(token.is(text));
        for other in ["", "0123456789abcdefghijklmnopqrstu", "0123456789abcdefghijklmnopqrstuV"] {
            assert!(!token.is(other));
        }
        assert_eq!(format!("{token:?}"), "AdminToken { .. }");
    }
}
