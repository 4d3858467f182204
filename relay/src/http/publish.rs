//! `POST /v1/publish`: publishes a batch of sealed messages from an app's resolver, with one result per message.

use super::{
    HttpContext,
    backend::{self, Caller},
    body::{self, BodyStream},
    request::ClientRequest,
    request_trace::RequestTrace,
    response::{ErrorBody, HttpError},
};
use crate::{
    activity::{Activity, Observation},
    auth::{
        access::{self, Namespace},
        signing_keys::SigningKeys,
    },
    broker::traced,
    channel_name::ChannelName,
    clock::Now,
    hub::{Draft, PublishReceipt},
    refused::Refused,
    session::Refusal,
    telemetry::{Origin, PublishRequestSpan},
    tenant::Tenant,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealwire_protocol::{
    Code, Scope, decode_base64url, limits,
    tokens::{BackendClaims, Permission},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::{Duration, Instant};
use tokio::task::yield_now;
use warp::{http::StatusCode, reply::Response};

/// The time for which a batch occupies its thread before other tasks run.
const TIME_SLICE: Duration = Duration::from_micros(250);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PublishRequest<'a> {
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
    #[serde(default)]
    content: Option<String>,
}

#[derive(Serialize)]
struct PublishResponse {
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

pub(super) async fn publish<S: BodyStream>(request: ClientRequest, body: S) -> Response {
    let trace = RequestTrace::of(&request);
    let endpoint = async |caller: &Caller, body: &mut S| {
        // A request without a valid token begins no trace.
        let mut span = trace.begin();
        let result = publish_batch(caller, body, &mut span).await;
        span.end(result.as_ref().err().map_or(StatusCode::OK, HttpError::status).as_u16());
        result
    };
    backend::serve(request, "publish", body, endpoint).await
}

async fn publish_batch<S: BodyStream>(
    caller: &Caller,
    body: &mut S,
    span: &mut PublishRequestSpan,
) -> Result<PublishResponse, HttpError> {
    let Caller { context, claims, source } = caller;
    let bytes = body::read(context, body, limits::MAX_BODY, |_| Ok(())).await?;
    let messages = read_batch(&bytes)?;
    span.set_messages(messages.len());
    let publisher = context.limits.publisher(&claims.iss, &claims.ins);
    let tenant = publisher.tenant();
    let sealed = messages.iter().map(|message| message.get().len()).sum::<usize>() / 4 * 3;
    context.limits.check_publishes(&publisher, messages.len(), sealed, Instant::now())?;
    let mut results = Vec::with_capacity(messages.len());
    let mut slice_start = Instant::now();
    let mut order = BatchOrder::default();
    for message in messages {
        if slice_start.elapsed() >= TIME_SLICE {
            yield_now().await;
            slice_start = Instant::now();
        }
        let result = order.publish(publish_one(context, claims, tenant, message, span.origin())).await;
        if let Err(refused) = &result {
            let identity = Some(caller.identity());
            context.audit.refused(&Refusal { attempt: "publish", code: refused.code, identity }, source);
        }
        results.push(match result {
            Ok(PublishReceipt { position, time }) => {
                PublishResult::Published { event_id: position.event_id(), event_timestamp: time.0 }
            }
            Err(refused) => PublishResult::Refused { error: refused.into() },
        });
    }
    Ok(PublishResponse { results })
}

/// Keeps the order of a batch: after a message with a temporary refusal, every later message gets the same refusal, so
/// that a retry publishes them in order.
#[derive(Default)]
struct BatchOrder {
    temporary_refusal: Option<Refused>,
}

impl BatchOrder {
    async fn publish(
        &mut self,
        message: impl Future<Output = Result<PublishReceipt, Refused>>,
    ) -> Result<PublishReceipt, Refused> {
        if let Some(refused) = &self.temporary_refusal {
            return Err(refused.clone());
        }
        let result = message.await;
        self.temporary_refusal =
            result.as_ref().err().filter(|refused| refused.retry_after_ms() > 0).cloned();
        result
    }
}

async fn publish_one(
    context: &HttpContext,
    claims: &BackendClaims,
    tenant: Tenant,
    message: &RawValue,
    origin: Origin,
) -> Result<PublishReceipt, Refused> {
    let observation = &context.connection.observation;
    let draft = draft(&context.keys, claims, tenant, message, observation)?;
    let _under_way = context.lifecycle.begin_publish().ok_or_else(|| {
        Refused::new(Code::ShuttingDown, "the relay is shutting down; publish again in a moment")
    })?;
    let (channel, sealed) = (draft.channel, draft.sealed.len());
    observation.observe(&Activity::Published { session: None, channel, event: &draft.event, sealed });
    Ok(traced::publish(&context.connection.telemetry, &*context.broker, draft, origin).await?)
}

/// Splits a body into its messages, which are not decoded yet.
fn read_batch(body: &[u8]) -> Result<Vec<&RawValue>, HttpError> {
    let batch: PublishRequest<'_> = serde_json::from_slice(body).map_err(|error| {
        let message = format!("the body is not {{\"messages\": [...]}}: {}", backend::explain(&error));
        HttpError::new(StatusCode::BAD_REQUEST, message)
    })?;
    let len = batch.messages.len();
    if !(1..=limits::MAX_BATCH).contains(&len) {
        let message = format!("a batch has 1 to {} messages, this one has {len}", limits::MAX_BATCH);
        return Err(HttpError::new(StatusCode::BAD_REQUEST, message));
    }
    Ok(batch.messages)
}

/// Decodes a message of a batch and checks its sender's permissions. Names its channel to an observer.
fn draft(
    keys: &SigningKeys,
    claims: &BackendClaims,
    tenant: Tenant,
    message: &RawValue,
    observation: &Observation,
) -> Result<Draft, Refused> {
    let message: Message = serde_json::from_str(message.get()).map_err(|error| {
        let code = if is_scope_error(message) { Code::ScopeRefused } else { Code::MalformedRequest };
        Refused::new(code, format!("the message does not match the API: {}", backend::explain(&error)))
    })?;
    let Message { channel, scope, token, event, sealed, id, content } = message;
    let namespace = Namespace { app: &claims.iss, installation: &claims.ins };
    let token = token
        .filter(|token| !token.is_empty())
        .map(|token| access::verify_channel_token(&token, namespace, &channel, keys, Now::read().wall));
    let token = token.transpose()?.map(|signed| signed.claims);
    if let Some(token) = &token {
        access::check_permission(token.can.publish, Permission::Publish, "channel token")?;
    }
    let (name, has_token) = (channel, token.is_some());
    let channel = access::channel_id(namespace, &scope, &name, token.as_ref())?;
    let sealed = STANDARD
        .decode(sealed)
        .map_err(|_| Refused::new(Code::MalformedRequest, "'sealed' must be standard base64 with padding"))?;
    let id = sixteen_bytes("id", &id)?;
    let content = content.map(|content| sixteen_bytes("content", &content)).transpose()?;
    if observation.is_on() {
        observation.observe(&Activity::Named(&ChannelName { channel, name, scope, has_token }));
    }
    access::draft(channel, tenant, event, sealed.into(), id, content)
}

/// Decodes the 16 bytes of an idempotency id or a digest of the content.
fn sixteen_bytes(field: &str, text: &str) -> Result<[u8; 16], Refused> {
    decode_base64url(text).and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        Refused::new(Code::MalformedRequest, format!("'{field}' must be 16 bytes in base64url"))
    })
}

/// True if a message is malformed only because of its scope.
fn is_scope_error(message: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct ScopeOnly {
        #[serde(default, rename = "scope")]
        _scope: Scope,
    }
    serde_json::from_str::<ScopeOnly>(message.get()).is_err()
        && serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(message.get()).is_ok()
}

/// The drafts and refusals of a body, for the fuzz target.
#[cfg(feature = "fuzzing")]
pub(crate) fn drafts(keys: &SigningKeys, claims: &BackendClaims, body: &[u8]) -> Vec<Result<Draft, Refused>> {
    let messages = read_batch(body).unwrap_or_default();
    messages
        .into_iter()
        .map(|message| draft(keys, claims, Tenant::default(), message, &Observation::default()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwire_protocol::{UnixMillis, wire::Position};
    use std::future::ready;

    #[tokio::test]
    async fn no_message_of_a_batch_overtakes_one_with_a_temporary_refusal() {
        let accepted = || {
            Ok(PublishReceipt { position: Position { epoch: 1, offset: 1, time_ms: 1 }, time: UnixMillis(1) })
        };
        let mut order = BatchOrder::default();
        let permanent = Refused::new(Code::PermissionMissing, "the token does not permit this");
        assert_eq!(order.publish(ready(Err(permanent.clone()))).await.err(), Some(permanent));
        assert!(order.publish(ready(accepted())).await.is_ok());
        let temporary = Refused::new(Code::Overloaded, "there is no memory for more messages");
        assert_eq!(order.publish(ready(Err(temporary.clone()))).await.err(), Some(temporary.clone()));
        assert_eq!(order.publish(ready(accepted())).await.err(), Some(temporary));
    }
}
