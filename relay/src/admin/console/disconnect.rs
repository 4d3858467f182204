//! `POST /console/disconnect`: ends the sessions of an account or an installation, with the token of `admin_token_file`. The
//! effect is that of `/v1/disconnect`.

use super::{Console, party};
use crate::{
    audit::trace::Source,
    auth::revocations::Selector,
    clock::Now,
    http::{self, HttpError, after_all_issued, end_sessions},
    session::Refusal,
};
use headers::{Authorization, HeaderMapExt as _, authorization::Bearer};
use sealwire_protocol::{Code, Scope};
use serde_json::json;
use std::net::IpAddr;
use warp::{
    http::{HeaderMap, StatusCode},
    reply::Response,
};

pub(super) async fn disconnect(
    console: &Console,
    headers: &HeaderMap,
    remote: IpAddr,
    body: &[u8],
) -> Response {
    let (context, source) = (&console.http, Source::request(remote, headers));
    let party = match check_token(console, headers, &source).and_then(|()| party::read(console, body)) {
        Ok(party) => party,
        Err(error) => return error.into(),
    };
    let now = Now::read().wall.seconds();
    let before = after_all_issued(now, context.keys.clock_skew(&party.app, now));
    let selector = Selector { account: party.account, context: Scope::default() };
    let of = (&*party.app, &*party.installation);
    match end_sessions(context, of, selector, before, ("operator", &source)).await {
        Ok(()) => http::json(StatusCode::OK, &json!({ "before": before })),
        Err(refused) => HttpError::from(refused).into(),
    }
}

/// Refuses a request without the token for changes. The refusal is audited.
fn check_token(console: &Console, headers: &HeaderMap, source: &Source) -> Result<(), HttpError> {
    let expected = console.http.admin_token.load();
    let Some(expected) = expected.as_ref() else {
        let message = "this relay permits no changes by operators; set admin_token_file and reload";
        return Err(HttpError::new(StatusCode::FORBIDDEN, message));
    };
    let shown = headers.typed_get::<Authorization<Bearer>>();
    if shown.is_some_and(|shown| expected.is(shown.token())) {
        return Ok(());
    }
    let refusal = Refusal { attempt: "console", code: Code::PermissionMissing, identity: None };
    console.http.audit.refused(&refusal, source);
    Err(HttpError::new(StatusCode::UNAUTHORIZED, "the token is not the one in the file of admin_token_file"))
}
