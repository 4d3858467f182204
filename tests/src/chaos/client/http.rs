//! A publisher over `POST /v1/publish` that repeats a message under its id until a relay acknowledges it, one message at a
//! time.

use super::{payload, surroundings::Surroundings};
use crate::chaos::{history::Place, random::Random, tenant::Tenant};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealwire_client::Entropy as _;
use sealwire_protocol::{Numbered, Numberings, SenderId, encode_base64url};
use serde_json::{Value, json};
use std::{io, net::Ipv4Addr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
    time::{Instant, sleep, timeout},
};

/// The time after which a message is given up, as the package's default.
const PATIENCE: Duration = Duration::from_secs(120);
/// The time that one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause between two requests.
const PAUSE: Duration = Duration::from_millis(300);

/// A publisher as an app's resolver is one.
pub(in crate::chaos) struct HttpPublisher {
    index: usize,
    tenant: Tenant,
    around: Surroundings,
    random: Random,
    numberings: Numberings,
}

/// The answer to one request.
enum Answer {
    Published(Place),
    /// The same message may succeed later.
    Later,
    Refused(String),
}

impl HttpPublisher {
    pub(in crate::chaos) fn new(index: usize, tenant: usize, around: Surroundings, random: Random) -> Self {
        let tenant = around.tenants[tenant].clone();
        Self { index, tenant, around, random, numberings: Numberings::default() }
    }

    /// Publishes to the channels that arrive until their sender is dropped.
    pub(in crate::chaos) async fn run(mut self, mut channels: mpsc::Receiver<usize>) {
        while let Some(channel) = channels.recv().await {
            let message = self.around.recorder.publish(self.index, channel);
            let id = self.tenant.channel_id(&self.around.channels[channel].name);
            let sender = SenderId(self.random());
            let numbered = self.numberings.assign(id, || sender);
            let (place, requests) = self.publish(channel, message, numbered).await;
            if place.is_some() && requests == 1 {
                self.numberings.confirm(numbered);
            }
            self.around.recorder.published(message, place);
        }
    }

    /// Publishes a message. Returns its place, and the number of requests that it took.
    async fn publish(
        &mut self,
        channel: usize,
        message: usize,
        numbered: Numbered,
    ) -> (Option<Place>, usize) {
        let body = self.body(channel, message, numbered);
        let deadline = Instant::now() + PATIENCE;
        let mut requests = 0;
        while Instant::now() < deadline {
            requests += 1;
            let port = self.around.balancer.port();
            let token = self.tenant.backend_token();
            let answer = timeout(REQUEST_TIMEOUT, post(port, &token, &body)).await;
            match answer.map(|result| result.map(|response| read(&response))) {
                Ok(Ok(Answer::Published(place))) => return (Some(place), requests),
                Ok(Ok(Answer::Refused(reason))) => {
                    self.around.recorder.fail(format!("POST /v1/publish of message {message}: {reason}"));
                    return (None, requests);
                }
                _ => sleep(PAUSE).await,
            }
        }
        (None, requests)
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }

    /// Returns the body of the request, which is the same in each attempt.
    fn body(&mut self, channel: usize, message: usize, numbered: Numbered) -> String {
        let (random, id) = (self.random(), self.random::<16>());
        let name = &self.around.channels[channel].name;
        let payload = payload::write(message, &mut self.random);
        let sealed = self.tenant.seal(name, &payload, numbered, random);
        json!({ "messages": [{
            "channel": name,
            "scope": self.tenant.scope(),
            "sealed": STANDARD.encode(sealed),
            "id": encode_base64url(id),
        }] })
        .to_string()
    }
}

async fn post(port: u16, token: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let request = format!(
        "POST /v1/publish HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    Ok(response)
}

fn read(response: &str) -> Answer {
    let Some((head, body)) = response.split_once("\r\n\r\n") else { return Answer::Later };
    let Ok(body) = serde_json::from_str::<Value>(body) else { return Answer::Later };
    let result = &body["results"][0];
    let error = if result["error"].is_null() { &body["error"] } else { &result["error"] };
    if let Some(place) = result["eventId"].as_str().and_then(Place::parse) {
        return Answer::Published(place);
    }
    let status = head.split(' ').nth(1).unwrap_or_default();
    match error["code"].as_str().unwrap_or_default() {
        "RATE_LIMITED" | "OVERLOADED" | "SHUTTING_DOWN" | "BROKER_UNAVAILABLE" => Answer::Later,
        _ if status.starts_with('5') => Answer::Later,
        code => Answer::Refused(format!("{status} {code}")),
    }
}
