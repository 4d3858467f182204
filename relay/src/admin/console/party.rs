//! The party that an operator names in a request: an account of an installation, or the whole installation.

use super::Console;
use crate::{http::HttpError, session::Identity};
use sealwire_protocol::limits;
use serde::Deserialize;
use warp::http::StatusCode;

/// The body of a lookup or a disconnect.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Party {
    /// The app may be left out if the relay has only one.
    #[serde(default)]
    app: Option<String>,
    installation: String,
    #[serde(default)]
    account: Option<String>,
    /// Confirms that all accounts are meant.
    #[serde(default)]
    everyone: bool,
}

/// Reads the party that a body names.
pub(super) fn read(console: &Console, body: &[u8]) -> Result<Identity, HttpError> {
    let bad = |message: String| HttpError::new(StatusCode::BAD_REQUEST, message);
    let Party { app, installation, account, everyone } = serde_json::from_slice(body).map_err(|error| {
        let position = format!("at line {} column {}", error.line(), error.column());
        bad(format!(
            "the body must have the strings 'installation' and 'account', and 'app' unless there is only one; see {position}"
        ))
    })?;
    let keys = &console.http.keys;
    let app = match app.filter(|app| !app.is_empty()) {
        Some(app) if keys.has_app(&app) => app,
        Some(_) => {
            return Err(bad("this relay has no app with this id; check-config lists the apps".to_owned()));
        }
        None => keys.only_app().ok_or_else(|| bad("name the 'app': this relay has several".to_owned()))?,
    };
    if !(1..=limits::MAX_INSTALLATION).contains(&installation.len()) {
        return Err(bad(format!("'installation' must have 1 to {} bytes", limits::MAX_INSTALLATION)));
    }
    if account.as_ref().is_some_and(|account| !(1..=limits::MAX_ACCOUNT).contains(&account.len())) {
        return Err(bad(format!("'account' must have 1 to {} bytes", limits::MAX_ACCOUNT)));
    }
    if account.is_some() == everyone {
        return Err(bad(
            "name an 'account', or everybody in the installation with \"everyone\": true".to_owned()
        ));
    }
    Ok(Identity { app, installation, account })
}
