//! The exporter in virtual time, against a scripted collector.

use super::*;
use crate::telemetry::processor::QueueProcessor;
use opentelemetry::trace::{Span as _, SpanBuilder, TracerProvider as _};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use std::{collections::VecDeque, sync::Mutex};
use tokio::task::JoinHandle;

/// One answer of the collector.
#[derive(Clone, Debug)]
enum Answer {
    Takes,
    Rejects(u64),
    Fails(u16),
    Hangs,
}

/// A collector that answers by a script, and takes everything after its end.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    /// The time and the number of spans of each request.
    requests: Arc<Mutex<Vec<(Instant, usize)>>>,
}

impl Sink for Script {
    async fn send(&self, request: &ExportTraceServiceRequest) -> Result<u64, SendError> {
        let spans = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
        let count = spans.map(|scope| scope.spans.len()).sum();
        self.requests.lock().unwrap().push((Instant::now(), count));
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Answer::Takes);
        match answer {
            Answer::Takes => Ok(0),
            Answer::Rejects(count) => Ok(count),
            Answer::Fails(status) => Err(SendError::Status(status)),
            Answer::Hangs => std::future::pending().await,
        }
    }
}

struct Fixture {
    tracer: SdkTracer,
    script: Script,
    counts: Arc<SpanCounts>,
    closing: CancellationToken,
    task: JoinHandle<()>,
    start: Instant,
}

impl Fixture {
    fn start(queue: usize, answers: &[Answer]) -> Self {
        let script = Script::default();
        script.answers.lock().unwrap().extend(answers.iter().cloned());
        let (sender, spans) = mpsc::channel(queue);
        let (counts, closing) = (Arc::<SpanCounts>::default(), CancellationToken::new());
        let resource = Resource::builder_empty().build();
        let exporter = Exporter::new(script.clone(), spans, &resource, counts.clone(), closing.clone());
        let processor = QueueProcessor::new(sender, counts.clone());
        let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
        let task = tokio::spawn(exporter.run());
        Self { tracer: provider.tracer("test"), script, counts, closing, task, start: Instant::now() }
    }

    /// Ends this number of spans.
    fn spans(&self, count: usize) {
        (0..count).for_each(|_| SpanBuilder::from_name("test").start(&self.tracer).end());
    }

    /// The seconds since the start and the number of spans of each request.
    fn requests(&self) -> Vec<(f64, usize)> {
        let requests = self.script.requests.lock().unwrap();
        requests.iter().map(|(at, count)| ((*at - self.start).as_secs_f64().round(), *count)).collect()
    }

    /// The spans that were exported, dropped and failed.
    fn counts(&self) -> [u64; 3] {
        let counts: Vec<_> = self.counts.iter().map(|(_, count)| count).collect();
        counts.try_into().unwrap()
    }

    async fn close(&mut self) {
        self.closing.cancel();
        (&mut self.task).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn spans_of_one_second_are_sent_together() {
    let fixture = Fixture::start(1000, &[]);
    fixture.spans(2);
    sleep(Duration::from_millis(900)).await;
    fixture.spans(3);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(fixture.requests(), [(1.0, 5)]);
    assert_eq!(fixture.counts(), [5, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_is_sent_at_once() {
    let fixture = Fixture::start(1000, &[]);
    fixture.spans(2 * MAX_BATCH + 1);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(fixture.requests(), [(0.0, MAX_BATCH), (0.0, MAX_BATCH), (1.0, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_span_without_room_in_the_queue_is_dropped_and_counted() {
    let mut fixture = Fixture::start(10, &[Answer::Hangs, Answer::Hangs, Answer::Hangs]);
    fixture.spans(1);
    sleep(Duration::from_secs(2)).await;
    // The collector hangs with the first span.
    fixture.spans(25);
    assert_eq!(fixture.counts(), [0, 15, 0]);
    sleep(Duration::from_secs(60)).await;
    fixture.close().await;
    assert_eq!(fixture.counts(), [10, 15, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_temporary_error_is_followed_by_two_more_attempts() {
    for answer in [Answer::Fails(503), Answer::Fails(429)] {
        let fixture = Fixture::start(10, &[answer.clone(), answer.clone()]);
        fixture.spans(1);
        sleep(Duration::from_secs(30)).await;
        assert_eq!(fixture.requests(), [(1.0, 1), (2.0, 1), (6.0, 1)]);
        assert_eq!(fixture.counts(), [1, 0, 0]);

        let fixture = Fixture::start(10, &[answer.clone(), answer.clone(), answer]);
        fixture.spans(1);
        sleep(Duration::from_secs(30)).await;
        assert_eq!((fixture.requests().len(), fixture.counts()), (3, [0, 0, 1]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_hangs_delays_a_batch_for_twenty_seconds_at_most() {
    let fixture = Fixture::start(10, &[Answer::Hangs, Answer::Hangs, Answer::Hangs]);
    fixture.spans(1);
    sleep(Duration::from_secs(22)).await;
    assert_eq!(fixture.requests(), [(1.0, 1), (7.0, 1), (16.0, 1)]);
    assert_eq!(fixture.counts(), [0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_permanent_error_is_final_and_rejected_spans_count_as_failed() {
    let fixture = Fixture::start(10, &[Answer::Fails(401), Answer::Rejects(2), Answer::Rejects(u64::MAX)]);
    for expected in [[0, 0, 3], [1, 0, 5], [1, 0, 8]] {
        fixture.spans(3);
        sleep(Duration::from_secs(2)).await;
        assert_eq!(fixture.counts(), expected);
    }
    assert_eq!(fixture.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_end_sends_what_waits_without_a_delay() {
    let mut fixture = Fixture::start(1000, &[]);
    fixture.spans(MAX_BATCH + 1);
    fixture.close().await;
    assert_eq!(fixture.requests(), [(0.0, MAX_BATCH), (0.0, 1)]);
    assert_eq!(fixture.counts(), [MAX_BATCH as u64 + 1, 0, 0]);
    // A span that ends later is dropped.
    fixture.spans(1);
    assert_eq!(fixture.counts()[1], 1);
}

#[tokio::test(start_paused = true)]
async fn the_end_does_not_wait_between_attempts() {
    let mut fixture = Fixture::start(10, &[Answer::Fails(503), Answer::Fails(503), Answer::Fails(503)]);
    fixture.spans(1);
    sleep(Duration::from_millis(1100)).await;
    fixture.close().await;
    assert_eq!(fixture.requests(), [(1.0, 1), (1.0, 1)]);
    assert_eq!(fixture.counts(), [0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn losses_are_logged_once_a_minute_with_their_sum() {
    let (mut losses, now) = (Losses::default(), Instant::now());
    let seconds = |seconds| now + Duration::from_secs(seconds);
    assert_eq!(losses.add(3, now), Some(3));
    assert_eq!(losses.add(4, seconds(1)), None);
    assert_eq!(losses.add(5, seconds(59)), None);
    assert_eq!(losses.add(6, seconds(60)), Some(15));
    assert_eq!(losses.add(7, seconds(119)), None);
}
