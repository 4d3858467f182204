//! `POST /v1/disconnect`: an app's resolver ends sessions of its installation, and the tokens that they came with.

use super::{HttpContext, Peer, backend, body, response::HttpError};
use crate::{
    audit::trace::Source, auth::revocations::Selector, clock::Now, connection::Registry, refused::Refused,
    session::Identity,
};
use futures_util::Stream;
use sealwire_protocol::{Code, Scope, UnixSeconds, limits, tokens::BackendClaims};
use serde::{Deserialize, Serialize};
use std::{net::IpAddr, sync::Arc, time::Instant};
use tokio::task::yield_now;
use warp::{
    Buf,
    http::{HeaderMap, Method, StatusCode},
    reply::Response,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
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
struct Answer {
    /// Tokens that were made earlier are refused.
    before: UnixSeconds,
}

pub(super) async fn disconnect<B: Buf>(
    context: &HttpContext,
    method: Method,
    headers: HeaderMap,
    from: (&Peer, IpAddr),
    body: impl Stream<Item = Result<B, warp::Error>> + Unpin,
) -> Response {
    backend::serve(context, "disconnect", (method, headers), from, body, async |claims, source, body| {
        revoke(context, claims, source, body).await
    })
    .await
}

async fn revoke<B: Buf>(
    context: &HttpContext,
    claims: &BackendClaims,
    source: &Source,
    body: &mut (impl Stream<Item = Result<B, warp::Error>> + Unpin),
) -> Result<Answer, HttpError> {
    context.limits.check_disconnect(&claims.iss, Instant::now())?;
    let body = body::read(context, body, limits::MAX_BODY, |_| Ok(())).await?;
    let now = Now::read();
    let wall = now.wall.seconds();
    let (selector, before) = read(&body, wall, context.keys.lead(&claims.iss, wall))?;
    context.revocations.add(&claims.iss, &claims.ins, selector.clone(), before, now)?;
    let identity = Identity { account: selector.account, ..backend::identity(claims) };
    context.audit.revoked(&identity, before, source);
    // After the table, so that a session that begins meanwhile finds the revocation there. The task goes on if the client
    // hangs up.
    let installation = context.limits.tenant(&claims.iss, &claims.ins).installation;
    let account =
        identity.account.as_ref().map(|account| context.limits.account(&claims.iss, &claims.ins, account));
    let registry = context.connection.registry.clone();
    let _ = context.tasks.spawn(wake(registry, installation, account)).await;
    Ok(Answer { before })
}

/// Has the sessions of an installation, or of one account there, look at the revocations.
async fn wake(registry: Arc<Registry>, installation: u64, account: Option<u64>) {
    let mut next = Some(0);
    while let Some(first) = next {
        let connections;
        (connections, next) = registry.sessions().connections_of(installation, account, first);
        connections.iter().for_each(|connection| connection.wake_for_revocation());
        yield_now().await;
    }
}

/// Reads the selector and the moment before which tokens are revoked. `lead` is the number of seconds by which the clocks
/// of the app's signers run ahead: a token that is made now may be dated so much later.
fn read(bytes: &[u8], now: UnixSeconds, lead: u64) -> Result<(Selector, UnixSeconds), HttpError> {
    let bad = |message: String| HttpError::new(StatusCode::BAD_REQUEST, message);
    let request: Request = serde_json::from_slice(bytes).map_err(|error| {
        bad(format!("the body is not what the endpoint takes: {}", backend::place(&error)))
    })?;
    let Request { account, context, installation, before } = request;
    let names_some = account.is_some() || context.is_some();
    if names_some == installation {
        let message = "name an 'account', a 'context' or both, or else all with \"installation\": true";
        return Err(bad(message.to_owned()));
    }
    if account.as_ref().is_some_and(|account| !(1..=limits::MAX_ACCOUNT).contains(&account.len())) {
        return Err(bad(format!("an account's id has 1 to {} bytes", limits::MAX_ACCOUNT)));
    }
    if context.as_ref().is_some_and(Scope::is_empty) {
        return Err(bad(
            "'context' names no property; to end all sessions, use \"installation\": true".to_owned()
        ));
    }
    let latest = UnixSeconds(now.0 + limits::CLOCK_SKEW);
    if before.is_some_and(|before| before > latest) {
        let message = format!("'before' lies more than {} s in the future", limits::CLOCK_SKEW);
        return Err(Refused::new(Code::MalformedRequest, message).into());
    }
    // Tokens know whole seconds only: those of this second are meant as well.
    let so_far = UnixSeconds(now.0 + lead + 1);
    let before = match before {
        None => so_far,
        // All that there are so far.
        Some(before) if before >= now && lead > 0 => before.max(so_far),
        Some(before) => before,
    };
    Ok((Selector { account, context: context.unwrap_or_default() }, before))
}
