//! A client of NATS for attackers, without a runtime of its caller's.

use crate::cluster::Cluster;
use async_nats::{Client, ConnectOptions, Event, HeaderMap, Message, Request, Subscriber};
use futures_util::StreamExt as _;
use serde_json::Value;
use std::{
    sync::{Arc, Mutex, OnceLock},
    time::{Duration, Instant},
};
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

/// The longest wait for an answer of NATS.
pub(super) const TIMEOUT: Duration = Duration::from_secs(20);
/// The inbox of attackers, which no permission names.
const INBOX: &str = "_INBOX.attackers";

/// A connection to one NATS server as one user.
pub(super) struct NatsClient {
    client: Client,
    /// The errors that the server reported.
    refusals: Arc<Mutex<Vec<String>>>,
}

/// A subscription.
pub(super) struct Heard(Subscriber);

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap())
}

impl NatsClient {
    /// Connects to a server over TLS as a user, with an inbox that the user may hear.
    pub(super) fn connect(
        cluster: &Cluster,
        server: usize,
        user: &str,
        password: &str,
    ) -> Result<Self, String> {
        Self::connect_with(cluster, server, user, password, INBOX)
    }

    pub(super) fn connect_with(
        cluster: &Cluster,
        server: usize,
        user: &str,
        password: &str,
        inbox: &str,
    ) -> Result<Self, String> {
        let refusals = Arc::<Mutex<Vec<String>>>::default();
        let reported = refusals.clone();
        let options = match user {
            "" => ConnectOptions::new(),
            _ => ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned()),
        };
        let options = options
            .require_tls(true)
            .add_root_certificates(cluster.nats.certificates().authority.clone())
            .custom_inbox_prefix(inbox)
            .request_timeout(Some(TIMEOUT))
            .ignore_discovered_servers()
            .event_callback(move |event| {
                if let Event::ServerError(error) = event {
                    reported.lock().unwrap().push(error.to_string().to_lowercase());
                }
                std::future::ready(())
            });
        let address = format!("tls://{}", cluster.nats.address(server));
        let client = runtime().block_on(options.connect(address)).map_err(|error| error.to_string())?;
        Ok(Self { client, refusals })
    }

    pub(super) fn publish(&self, subject: &str, payload: impl Into<Vec<u8>>) {
        self.publish_with(subject, &[], payload);
    }

    /// Publishes with headers.
    pub(super) fn publish_with(&self, subject: &str, headers: &[(&str, &str)], payload: impl Into<Vec<u8>>) {
        let (subject, payload) = (subject.to_owned(), payload.into().into());
        let mut map = HeaderMap::new();
        headers.iter().for_each(|(name, value)| map.append(*name, *value));
        let sent = runtime().block_on(async {
            if map.is_empty() {
                return self.client.publish(subject, payload).await;
            }
            self.client.publish_with_headers(subject, map, payload).await
        });
        sent.unwrap();
    }

    /// Sends a request, and returns its JSON answer; `None` if there is none within `wait`.
    pub(super) fn request(&self, subject: &str, body: &Value, wait: Duration) -> Option<Value> {
        let request = Request::new().payload(body.to_string().into()).timeout(Some(wait));
        let answer = runtime().block_on(self.client.send_request(subject.to_owned(), request)).ok()?;
        serde_json::from_slice(&answer.payload).ok()
    }

    /// Sends a request to JetStream, which must succeed.
    pub(super) fn must_ask(&self, api: &str, body: &Value) -> Value {
        let answer = self.request(&format!("$JS.API.{api}"), body, TIMEOUT);
        let answer = answer.unwrap_or_else(|| panic!("{api} has no answer"));
        assert_eq!(answer["error"], Value::Null, "{api}");
        answer
    }

    /// Subscribes, and waits until the server has the subscription or has refused it.
    pub(super) fn listen(&self, subject: &str) -> Heard {
        let heard = runtime().block_on(self.client.subscribe(subject.to_owned())).unwrap();
        self.flush();
        Heard(heard)
    }

    /// Waits until the server has taken everything that was sent.
    pub(super) fn flush(&self) {
        runtime().block_on(self.client.flush()).unwrap();
    }

    /// Asserts that the server refuses an action on a subject.
    pub(super) fn must_be_refused<T>(&self, subject: &str, action: impl FnOnce(&Self) -> T) {
        let outcome = action(self);
        self.flush();
        let (start, quoted) = (Instant::now(), format!("\"{}\"", subject.to_lowercase()));
        let is_refused = || {
            let refusals = self.refusals.lock().unwrap();
            refusals.iter().any(|text| text.contains("permissions violation") && text.contains(&quoted))
        };
        while !is_refused() {
            assert!(start.elapsed() < TIMEOUT, "{subject} is permitted");
            std::thread::sleep(Duration::from_millis(5));
        }
        self.refusals.lock().unwrap().clear();
        drop(outcome);
    }
}

impl Heard {
    /// Returns the next message; `None` if there is none within `wait`.
    pub(super) fn next(&mut self, wait: Duration) -> Option<Message> {
        runtime().block_on(async { timeout(wait, self.0.next()).await }).ok().flatten()
    }

    /// Returns the next message.
    pub(super) fn must_hear(&mut self) -> Message {
        self.next(TIMEOUT).expect("a message arrives")
    }

    /// Returns everything that arrives within `wait`.
    pub(super) fn all_within(&mut self, wait: Duration) -> Vec<Message> {
        let start = Instant::now();
        std::iter::from_fn(|| self.next(wait.saturating_sub(start.elapsed()))).collect()
    }
}
