//! The trace of a request, which begins once its caller showed a valid token.

use super::request::ClientRequest;
use crate::{
    audit::trace::RequestId,
    telemetry::{Origin, PublishRequestSpan, Telemetry},
};

/// The parts of a request that its span needs. Without traces, nothing is read.
pub(super) struct RequestTrace {
    telemetry: Telemetry,
    headers: Option<(Origin, RequestId)>,
}

impl RequestTrace {
    pub(super) fn of(request: &ClientRequest) -> Self {
        let telemetry = request.context.connection.telemetry.clone();
        let headers =
            telemetry.recorder().map(|_| (Origin::of(&request.headers), RequestId::of(&request.headers)));
        Self { telemetry, headers }
    }

    /// Starts the span of a publish request.
    pub(super) fn begin(&self) -> PublishRequestSpan {
        let recorder = self.telemetry.recorder().zip(self.headers.as_ref());
        let span =
            recorder.map(|(recorder, (origin, id))| recorder.publish_request(*origin, &id.to_string()));
        span.unwrap_or_default()
    }
}
