//! The authentication at NATS. The files with secrets are read at each connect, so that they can be exchanged without a
//! restart.

use crate::settings::Settings;
use async_nats::{Auth, AuthError};
use std::{fs, path::PathBuf};
use zeroize::Zeroizing;

/// The kind of authentication and the file with its secret.
#[derive(Clone, Debug)]
pub(super) enum Authentication {
    None,
    /// A file with a JWT and the seed of its key, as `nsc` writes it.
    Credentials(PathBuf),
    Password {
        user: String,
        file: PathBuf,
    },
    Token(PathBuf),
}

impl Authentication {
    pub(super) fn of(settings: &Settings) -> Self {
        match (&settings.broker_credentials, &settings.broker_password_file, &settings.broker_token_file) {
            (Some(file), ..) => Self::Credentials(file.clone()),
            (_, Some(file), _) => Self::Password { user: settings.broker_user.clone(), file: file.clone() },
            (.., Some(file)) => Self::Token(file.clone()),
            (None, None, None) => Self::None,
        }
    }

    /// Answers a server's challenge. Errors name the setting and quote no secret.
    pub(super) fn answer(&self, nonce: &[u8]) -> Result<Auth, AuthError> {
        let mut auth = Auth::new();
        match self {
            Self::None => {}
            Self::Credentials(file) => {
                let text = read("broker_credentials", file)?;
                let (jwt, seed) = credentials(&text).ok_or_else(|| {
                    AuthError::new("broker_credentials: the file has no user JWT and seed; write it with 'nsc generate creds'")
                })?;
                let key = nkeys::KeyPair::from_seed(seed)
                    .map_err(|_| AuthError::new("broker_credentials: the seed of the file is not valid"))?;
                let signature = key
                    .sign(nonce)
                    .map_err(|_| AuthError::new("broker_credentials: the seed of the file cannot sign"))?;
                auth.jwt = Some(jwt.to_owned());
                auth.signature = Some(signature);
            }
            Self::Password { user, file } => {
                auth.username = Some(user.clone());
                auth.password = Some(read("broker_password_file", file)?.trim_end().to_owned());
            }
            Self::Token(file) => auth.token = Some(read("broker_token_file", file)?.trim_end().to_owned()),
        }
        Ok(auth)
    }
}

fn read(setting: &str, file: &PathBuf) -> Result<Zeroizing<String>, AuthError> {
    let text = fs::read_to_string(file);
    text.map(Zeroizing::new)
        .map_err(|error| AuthError::new(format!("{setting}: {} cannot be read: {error}", file.display())))
}

/// Returns the JWT and the seed of a credentials file: the first lines after the two `-----BEGIN` lines.
fn credentials(text: &str) -> Option<(&str, &str)> {
    let mut bodies = text.lines().scan(false, |is_body, line| {
        let body = is_body.then_some(line.trim());
        *is_body = line.trim_start().starts_with("-----BEGIN");
        Some(body)
    });
    let mut next = || bodies.by_ref().flatten().find(|line| !line.is_empty());
    Some((next()?, next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_credentials_file_of_nsc_has_a_jwt_and_a_seed() {
        let text = "-----BEGIN NATS USER JWT-----\neyJ0.eyJq.c2ln\n------END NATS USER JWT------\n\n\
                    ************************* IMPORTANT *************************\n\n\
                    -----BEGIN USER NKEY SEED-----\nSUASEED\n------END USER NKEY SEED------\n";
        assert_eq!(credentials(text), Some(("eyJ0.eyJq.c2ln", "SUASEED")));
        for text in ["", "SUASEED", "-----BEGIN NATS USER JWT-----\neyJ0\n------END NATS USER JWT------\n"] {
            assert_eq!(credentials(text), None);
        }
    }

    #[test]
    fn secrets_are_read_at_each_connect() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        let token = Authentication::Token(file.clone());
        assert!(token.answer(b"").err().unwrap().to_string().contains("broker_token_file"));
        for secret in ["first", "second"] {
            fs::write(&file, format!("{secret}\n")).unwrap();
            assert_eq!(token.answer(b"").unwrap().token.as_deref(), Some(secret));
        }
    }
}
