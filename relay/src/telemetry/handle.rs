//! The handle of the option, which the parts of the relay share.

use super::{collector::CollectorError, recorder::Recorder};
use crate::{
    metrics::SpanCounts,
    settings::{Settings, TraceRatio},
};
use std::sync::Arc;

/// The recorder of traces, or nothing if the option is off. A clone is another handle.
#[derive(Clone, Default)]
pub(crate) struct Telemetry(Option<Arc<Recorder>>);

impl Telemetry {
    /// Starts recording if `otlp_endpoint` is set.
    ///
    /// # Errors
    /// [`CollectorError`] if the collector can never be reached.
    pub(crate) fn start(settings: &Settings) -> Result<Self, CollectorError> {
        let Some(endpoint) = &settings.otlp_endpoint else { return Ok(Self::default()) };
        Recorder::start(endpoint, settings).map(|recorder| Self(Some(Arc::new(recorder))))
    }

    /// Returns the recorder, or `None` if the option is off.
    pub(crate) fn recorder(&self) -> Option<&Recorder> {
        self.0.as_deref()
    }

    /// Returns the counts of spans, which are 0 if the option is off.
    pub(crate) fn counts(&self) -> Arc<SpanCounts> {
        self.recorder().map_or_else(Arc::default, Recorder::counts)
    }

    /// Applies another ratio.
    pub(crate) fn set_ratio(&self, ratio: TraceRatio) {
        if let Some(recorder) = &self.0 {
            recorder.set_ratio(ratio);
        }
    }

    /// Sends the spans that ended so far, and waits a bounded time for it. Later spans are dropped.
    pub(crate) async fn shut_down(&self) {
        if let Some(recorder) = &self.0 {
            recorder.shut_down().await;
        }
    }
}
