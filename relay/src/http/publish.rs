//! `POST /v1/publish`: a batch of sealed messages from an app's resolver, each with a result of its own.

use super::{
    HttpContext, Peer, backend, body,
    response::{ErrorBody, HttpError},
};
use crate::{
    audit::trace::Source,
    auth::{
        access::{self, Namespace},
        signing_keys::SigningKeys,
    },
    clock::Now,
    hub::{Draft, PublishReceipt},
    refused::Refused,
    session::Refusal,
    tenant::Tenant,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::Stream;
use sealwire_protocol::{
    Code, Scope, decode_base64url, limits,
    tokens::{BackendClaims, Permission},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{
    net::IpAddr,
    time::{Duration, Instant},
};
use tokio::task::yield_now;
use warp::{
    Buf,
    http::{HeaderMap, Method, StatusCode},
    reply::Response,
};

/// The time that a batch is worked on before other tasks run.
const TIME_SLICE: Duration = Duration::from_micros(250);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch<'a> {
    #[serde(borrow)]
    messages: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    channel: String,
    #[serde(default)]
    scope: Scope,
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    event: String,
    sealed: String,
    id: String,
}

#[derive(Serialize)]
struct Results {
    results: Vec<PublishResult>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum PublishResult {
    #[serde(rename_all = "camelCase")]
    Published {
        event_id: String,
        event_timestamp: u64,
    },
    Refused {
        error: ErrorBody,
    },
}

pub(super) async fn publish<B: Buf>(
    context: &HttpContext,
    method: Method,
    headers: HeaderMap,
    from: (&Peer, IpAddr),
    body: impl Stream<Item = Result<B, warp::Error>> + Unpin,
) -> Response {
    backend::serve(context, "publish", (method, headers), from, body, async |claims, source, body| {
        publish_batch(context, claims, source, body).await
    })
    .await
}

async fn publish_batch<B: Buf>(
    context: &HttpContext,
    claims: &BackendClaims,
    source: &Source,
    body: &mut (impl Stream<Item = Result<B, warp::Error>> + Unpin),
) -> Result<Results, HttpError> {
    let bytes = body::read(context, body, limits::MAX_BODY, |_| Ok(())).await?;
    let messages = read_batch(&bytes)?;
    let tenant = context.limits.tenant(&claims.iss, &claims.ins);
    let sealed = messages.iter().map(|message| message.get().len()).sum::<usize>() / 4 * 3;
    context.limits.check_publishes(tenant, messages.len(), sealed, Instant::now())?;
    let mut results = Vec::with_capacity(messages.len());
    let mut turn = Instant::now();
    let mut order = Order::default();
    for message in messages {
        if turn.elapsed() >= TIME_SLICE {
            yield_now().await;
            turn = Instant::now();
        }
        let result = order.publish(publish_one(context, claims, tenant, message)).await;
        if let Err(refused) = &result {
            let identity = Some(backend::identity(claims));
            context.audit.refused(&Refusal { attempt: "publish", code: refused.code, identity }, source);
        }
        results.push(match result {
            Ok(PublishReceipt { position, time }) => {
                PublishResult::Published { event_id: position.event_id(), event_timestamp: time.0 }
            }
            Err(refused) => PublishResult::Refused { error: refused.into() },
        });
    }
    Ok(Results { results })
}

/// The order of a batch: what comes behind a message that was refused for a while must not overtake it.
#[derive(Default)]
struct Order {
    put_off: Option<Refused>,
}

impl Order {
    async fn publish(
        &mut self,
        message: impl Future<Output = Result<PublishReceipt, Refused>>,
    ) -> Result<PublishReceipt, Refused> {
        if let Some(refused) = &self.put_off {
            return Err(refused.clone());
        }
        let result = message.await;
        self.put_off = result.as_ref().err().filter(|refused| refused.retry_after_ms() > 0).cloned();
        result
    }
}

async fn publish_one(
    context: &HttpContext,
    claims: &BackendClaims,
    tenant: Tenant,
    message: &RawValue,
) -> Result<PublishReceipt, Refused> {
    let draft = draft(&context.keys, claims, tenant, message)?;
    let _under_way = context.lifecycle.begin_publish().ok_or_else(|| {
        Refused::new(Code::ShuttingDown, "the relay is shutting down; publish again in a moment")
    })?;
    Ok(context.broker.publish(draft).await?)
}

/// The messages of a body, each still to be read.
fn read_batch(body: &[u8]) -> Result<Vec<&RawValue>, HttpError> {
    let batch: Batch<'_> = serde_json::from_slice(body).map_err(|error| {
        let message = format!("the body is not {{\"messages\": [...]}}: {}", backend::place(&error));
        HttpError::new(StatusCode::BAD_REQUEST, message)
    })?;
    let len = batch.messages.len();
    if !(1..=limits::MAX_BATCH).contains(&len) {
        let message = format!("a batch has 1 to {} messages, this one has {len}", limits::MAX_BATCH);
        return Err(HttpError::new(StatusCode::BAD_REQUEST, message));
    }
    Ok(batch.messages)
}

/// What a message of a batch asks to be published, if its sender may.
fn draft(
    keys: &SigningKeys,
    claims: &BackendClaims,
    tenant: Tenant,
    message: &RawValue,
) -> Result<Draft, Refused> {
    let message: Message = serde_json::from_str(message.get()).map_err(|error| {
        let code = if is_scope_error(message) { Code::ScopeRefused } else { Code::MalformedRequest };
        Refused::new(code, format!("the message is not what the endpoint takes: {}", backend::place(&error)))
    })?;
    let Message { channel, scope, token, event, sealed, id } = message;
    let namespace = Namespace { app: &claims.iss, installation: &claims.ins };
    let token = token
        .filter(|token| !token.is_empty())
        .map(|token| access::verify_channel_token(&token, namespace, &channel, keys, Now::read().wall));
    let token = token.transpose()?.map(|signed| signed.claims);
    if let Some(token) = &token {
        access::check_permission(token.can.publish, Permission::Publish, "channel token")?;
    }
    let channel = access::channel_id(namespace, &scope, &channel, token.as_ref())?;
    let sealed = STANDARD
        .decode(sealed)
        .map_err(|_| Refused::new(Code::MalformedRequest, "'sealed' must be standard base64 with padding"))?;
    let id = decode_base64url(&id).and_then(|id| id.try_into().ok()).ok_or_else(|| {
        let message = format!("'id' must be {} bytes in base64url", limits::IDEMPOTENCY_ID);
        Refused::new(Code::MalformedRequest, message)
    })?;
    access::draft(channel, tenant, event, sealed.into(), id)
}

/// Whether it is the scope that makes a message malformed.
fn is_scope_error(message: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct ScopeOnly {
        #[serde(default, rename = "scope")]
        _scope: Scope,
    }
    serde_json::from_str::<ScopeOnly>(message.get()).is_err()
        && serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(message.get()).is_ok()
}

/// The drafts and refusals of a body, for who feeds it with random ones.
#[cfg(feature = "fuzzing")]
pub(crate) fn drafts(keys: &SigningKeys, claims: &BackendClaims, body: &[u8]) -> Vec<Result<Draft, Refused>> {
    let messages = read_batch(body).unwrap_or_default();
    messages.into_iter().map(|message| draft(keys, claims, Tenant::default(), message)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwire_protocol::{UnixMillis, wire::Position};
    use std::future::ready;

    #[tokio::test]
    async fn nothing_of_a_batch_overtakes_a_message_that_was_refused_for_a_while() {
        let accepted =
            || Ok(PublishReceipt { position: Position { epoch: 1, offset: 1 }, time: UnixMillis(1) });
        let mut order = Order::default();
        let for_good = Refused::new(Code::PermissionMissing, "the token does not permit this");
        assert_eq!(order.publish(ready(Err(for_good.clone()))).await.err(), Some(for_good));
        assert!(order.publish(ready(accepted())).await.is_ok());
        let for_a_while = Refused::new(Code::Overloaded, "there is no memory for more messages");
        assert_eq!(order.publish(ready(Err(for_a_while.clone()))).await.err(), Some(for_a_while.clone()));
        assert_eq!(order.publish(ready(accepted())).await.err(), Some(for_a_while));
    }
}
