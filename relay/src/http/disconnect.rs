//! `POST /v1/disconnect`: ends sessions of an installation on behalf of the app's resolver, and revokes their tokens.

use super::{
    HttpContext,
    backend::{self, Caller},
    body::{self, BodyStream},
    request::ClientRequest,
    response::HttpError,
};
use crate::{
    audit::trace::Source,
    auth::revocations::{Selector, SharedRevocation},
    clock::Now,
    refused::Refused,
    session::Identity,
};
use sealwire_protocol::{Code, Scope, UnixSeconds, limits};
use serde::{Deserialize, Serialize};
use std::time::Instant;
use warp::{http::StatusCode, reply::Response};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DisconnectRequest {
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    context: Option<Scope>,
    #[serde(default)]
    installation: bool,
    #[serde(default)]
    before: Option<UnixSeconds>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DisconnectResponse {
    /// Tokens issued before this time are refused.
    before: UnixSeconds,
}

pub(super) async fn disconnect<S: BodyStream>(request: ClientRequest, body: S) -> Response {
    backend::serve(request, "disconnect", body, async |caller, body| revoke(caller, body).await).await
}

async fn revoke<S: BodyStream>(caller: &Caller, body: &mut S) -> Result<DisconnectResponse, HttpError> {
    let Caller { context, claims, source } = caller;
    context.limits.check_disconnect(&claims.iss, Instant::now())?;
    let body = body::read(context, body, limits::MAX_BODY, |_| Ok(())).await?;
    let wall = Now::read().wall.seconds();
    let (selector, before) = read(&body, wall, context.keys.clock_skew(&claims.iss, wall))?;
    end_sessions(context, (&claims.iss, &claims.ins), selector, before, ("app", source)).await?;
    Ok(DisconnectResponse { before })
}

/// Returns the time before which tokens are revoked if every token issued so far is meant. `clock_skew` is the number of
/// seconds by which the clocks of the app's signers run ahead: a token issued now may be dated that much later.
pub(crate) fn after_all_issued(now: UnixSeconds, clock_skew: u64) -> UnixSeconds {
    // Tokens have a resolution of one second, so this second is included.
    UnixSeconds(now.0 + clock_skew + 1)
}

/// Ends the selected sessions of an installation of an app, at all relays of a cluster, and revokes their tokens. `by` is
/// the party that asked, for the audit log.
pub(crate) async fn end_sessions(
    context: &HttpContext,
    (app, installation): (&str, &str),
    selector: Selector,
    before: UnixSeconds,
    (by, source): (&'static str, &Source),
) -> Result<(), Refused> {
    context.revocations.add(app, installation, &selector, before, Now::read())?;
    let revocation = SharedRevocation::new(app, installation, &selector, before);
    let identity =
        Identity { app: app.to_owned(), installation: installation.to_owned(), account: selector.account };
    context.audit.revoked(&identity, before, by, source);
    // The revocation is in the table before the sessions are woken, so a session that opens meanwhile finds it there. The
    // task continues if the caller closes its connection.
    let key = context.limits.tenant(app, installation).installation;
    let account = identity.account.as_ref().map(|account| context.limits.account(app, installation, account));
    let connection = context.connection.clone();
    let wake = async move {
        connection.registry.wake_for_revocation(key, account).await;
        connection.presences.end_graces(key, account);
    };
    let _ = context.tasks.spawn(wake).await;
    if let Some(cluster) = &context.cluster {
        cluster.revoke(&revocation).await?;
    }
    Ok(())
}

/// Reads the selector, and the time before which tokens are revoked. `clock_skew` is the argument of [`after_all_issued`].
fn read(bytes: &[u8], now: UnixSeconds, clock_skew: u64) -> Result<(Selector, UnixSeconds), HttpError> {
    let bad = |message: String| HttpError::new(StatusCode::BAD_REQUEST, message);
    let request: DisconnectRequest = serde_json::from_slice(bytes)
        .map_err(|error| bad(format!("the body does not match the API: {}", backend::explain(&error))))?;
    let DisconnectRequest { account, context, installation, before } = request;
    let selects_some = account.is_some() || context.is_some();
    if selects_some == installation {
        let message =
            "name an 'account', a 'context' or both; or name all sessions with \"installation\": true";
        return Err(bad(message.to_owned()));
    }
    if account.as_ref().is_some_and(|account| !(1..=limits::MAX_ACCOUNT).contains(&account.len())) {
        return Err(bad(format!("'account' must have 1 to {} bytes", limits::MAX_ACCOUNT)));
    }
    if context.as_ref().is_some_and(Scope::is_empty) {
        return Err(bad(
            "'context' names no property; to end all sessions, use \"installation\": true".to_owned()
        ));
    }
    let latest = UnixSeconds(now.0 + limits::CLOCK_SKEW);
    if before.is_some_and(|before| before > latest) {
        let message = format!("'before' is more than {} s in the future", limits::CLOCK_SKEW);
        return Err(Refused::new(Code::MalformedRequest, message).into());
    }
    let after_all_issued = after_all_issued(now, clock_skew);
    let before = match before {
        None => after_all_issued,
        // The caller means every token issued so far, and some of them may be dated later than its own clock.
        Some(before) if before >= now && clock_skew > 0 => before.max(after_all_issued),
        Some(before) => before,
    };
    Ok((Selector { account, context: context.unwrap_or_default() }, before))
}
