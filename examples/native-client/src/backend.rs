//! Sessions from the app's backend: a request with the user's own credentials, answered with a session grant.

use crate::exchange::{SessionResult, Sessions};
use sealwire_client::{ClientError, SessionReason};
use sealwire_protocol::Code;
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::task::spawn_blocking;

/// The time that the backend has to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum size of an answer in bytes.
const MAX_ANSWER: u64 = 64 * 1024;

/// Returns a function that requests sessions at `url`, with `token` as the bearer token of the user.
pub(crate) fn sessions(url: String, token: String) -> Sessions {
    let config = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false);
    let agent = ureq::Agent::new_with_config(config.build());
    let authorization: Arc<str> = format!("Bearer {token}").into();
    Arc::new(move |reason| {
        let (agent, url, authorization) = (agent.clone(), url.clone(), authorization.clone());
        Box::pin(async move {
            let request = spawn_blocking(move || request(&agent, &url, &authorization, reason));
            request.await.unwrap_or_else(|error| Err(unavailable(&error.to_string())))
        })
    })
}

fn request(agent: &ureq::Agent, url: &str, authorization: &str, reason: SessionReason) -> SessionResult {
    // The backend passes the body to `session` of sealwire/resolver, which reads its stored keys again for an unknown one.
    let body = json!({ "reason": match reason {
        SessionReason::Connect => "connect",
        SessionReason::Refresh => "refresh",
        SessionReason::UnknownKey => "unknown-key",
    } });
    let answer = agent.post(url).header("authorization", authorization).send_json(body);
    let mut answer = answer.map_err(|error| unavailable(&error.to_string()))?;
    match answer.status().as_u16() {
        200 => {}
        // The same request fails again, so the client gives up.
        status @ (400..=404) => {
            let problem = format!(
                "the backend refuses a session with status {status}; check --session and --token-file"
            );
            return Err(ClientError::new(Code::PermissionMissing, problem));
        }
        status => return Err(unavailable(&format!("status {status}"))),
    }
    answer.body_mut().with_config().limit(MAX_ANSWER).read_json().map_err(|error| {
        let problem =
            format!("the backend's answer is no session: {error}; return the result of realtime.session");
        ClientError::new(Code::InvalidArgument, problem)
    })
}

/// Returns an error after which the client asks again by itself.
fn unavailable(problem: &str) -> ClientError {
    ClientError::new(Code::SessionUnavailable, format!("the backend gives no session: {problem}"))
}
