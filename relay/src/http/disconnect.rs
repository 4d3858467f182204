//! `POST /v1/disconnect`: an app's resolver ends sessions of its installation, and the tokens that they came with.

use super::{HttpContext, Peer, answer::HttpError, backend, body};
use crate::{access::Refused, clock::Now, revocations::Selector, session::Identity, trace::Source};
use futures_util::Stream;
use sealwire_protocol::{Code, Scope, UnixSeconds, limits, tokens::BackendClaims};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
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
    let body = body::read(context, body, limits::MAX_BODY, |_| Ok(())).await?;
    let now = Now::read();
    let (selector, before) = read(&body, now.wall.seconds())?;
    context.revocations.add(&claims.iss, &claims.ins, selector.clone(), before, now)?;
    let identity = Identity { account: selector.account, ..backend::identity(claims) };
    context.audit.revoked(&identity, before, source);
    // After the table: whoever comes meanwhile finds it there.
    context.connection.registry.all().iter().for_each(|connection| connection.wake_for_revocation());
    Ok(Answer { before })
}

/// Whose sessions, and of tokens made before when.
fn read(bytes: &[u8], now: UnixSeconds) -> Result<(Selector, UnixSeconds), HttpError> {
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
    // Tokens know whole seconds only: those of this second are meant as well.
    let latest = UnixSeconds(now.0 + limits::CLOCK_SKEW);
    let before = before.unwrap_or(UnixSeconds(now.0 + 1));
    if before > latest {
        let message = format!("'before' lies more than {} s in the future", limits::CLOCK_SKEW);
        return Err(Refused::new(Code::MalformedRequest, message).into());
    }
    Ok((Selector { account, context: context.unwrap_or_default() }, before))
}
