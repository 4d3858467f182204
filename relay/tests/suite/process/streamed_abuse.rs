//! Abuse of streams, which must fail and must not affect other clients.

use super::bystanders::Bystanders;
use crate::support::{
    App, Client, RelayProcess, Streamed, channel, post_to, rand_id, request, request_bytes,
};
use sealwire_protocol::{
    Code, encode_base64url, limits,
    wire::{Hello, Refresh, Since, ToClient, ToRelay},
};

#[tokio::test]
async fn requests_that_match_no_stream_are_refused_with_a_reason_and_affect_no_others() {
    let relay = RelayProcess::start(&[]);
    let mut bystanders = Bystanders::on(&relay).await;
    let streamed = Streamed::open(&relay, "alice").await;
    let (id, next) = (&*streamed.id, streamed.next);
    let large = "A".repeat(2 * limits::MAX_FRAME);
    for (method, path, body, status, code) in [
        ("GET", "/v1/stream", "", 405, "MALFORMED_REQUEST"),
        ("GET", "/v1/send", "", 405, "MALFORMED_REQUEST"),
        ("PUT", "/v1/send", "", 405, "MALFORMED_REQUEST"),
        ("POST", "/v1/send", "", 400, "MALFORMED_REQUEST"),
        ("POST", "/v1/send", "{}", 400, "MALFORMED_REQUEST"),
        ("POST", "/v1/send", &format!("{id}\nUgA="), 400, "MALFORMED_REQUEST"),
        ("POST", "/v1/send", &format!("{id} {next}\nno base64"), 400, "MALFORMED_REQUEST"),
        ("POST", "/v1/send", &format!("{id} {}\nUgA=", next + 1), 409, "MALFORMED_REQUEST"),
        ("POST", "/v1/send", &format!("{id} {}\nUgA=", u64::MAX), 409, "MALFORMED_REQUEST"),
        ("POST", "/v1/send", &format!("{} 0\nUgA=", encode_base64url(rand_id())), 404, "MALFORMED_REQUEST"),
        ("POST", "/v1/send", &format!("{id} {next}\n{large}"), 413, "REQUEST_TOO_LARGE"),
    ] {
        let answer = request(relay.address, method, path, "", body).await;
        let start = body.get(..40);
        assert_eq!((answer.status, answer.code()), (status, code), "{method} {path} {start:?} {answer:?}");
        assert!(!answer.body.to_string().contains(id));
    }
    // None of these requests changed the stream.
    let mut streamed = streamed;
    streamed.subscribe_since("absences", None).await;
    bystanders.must_be_untouched().await;
}

#[tokio::test]
async fn the_body_of_a_request_for_an_unknown_stream_is_not_read() {
    let relay = RelayProcess::start(&[]);
    let stranger = encode_base64url(rand_id());
    let text = format!(
        "POST /v1/send HTTP/1.1\r\nhost: relay\r\nconnection: close\r\ncontent-length: 250000\r\n\r\n\
         {stranger} 0\n{}",
        "A".repeat(1000)
    );
    // The rest of the body never arrives, but the response does.
    let answer = request_bytes(relay.address, text.as_bytes()).await;
    assert_eq!((answer.status, answer.code()), (404, "MALFORMED_REQUEST"));
}

#[tokio::test]
async fn a_retried_request_has_no_further_effect() {
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open(&relay, "bob").await;
    client.subscribe("absences").await;
    let mut streamed = Streamed::open(&relay, "alice").await;
    let first = streamed.next;
    let messages = [streamed.publishing("absences", "one"), streamed.publishing("absences", "two")];
    let [one, two] = messages.map(|message| message.to_bytes());
    for _ in 0..3 {
        let answer = streamed.post(first, &[&one, &two]).await;
        assert_eq!((answer.status, answer.body["next"].as_u64()), (200, Some(first + 2)));
        // A late retry of only the first message.
        assert_eq!(streamed.post(first, &[&one]).await.status, 200);
    }
    // A retry together with a new message.
    let three = streamed.publishing("absences", "three").to_bytes();
    assert_eq!(streamed.post(first + 1, &[&two, &three]).await.body["next"].as_u64(), Some(first + 3));
    for text in ["one", "two", "three"] {
        assert_eq!(client.text().await, text);
    }
    assert!(client.is_quiet().await);
    for _ in 0..3 {
        assert!(matches!(streamed.next().await, ToClient::Published(_)));
    }
}

#[tokio::test]
async fn concurrent_retries_are_accepted_once() {
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open(&relay, "bob").await;
    client.subscribe("absences").await;
    let mut streamed = Streamed::open(&relay, "alice").await;
    let message = streamed.publishing("absences", "once").to_bytes();
    let (id, first) = (streamed.id.clone(), streamed.next);
    let posts = (0..20).map(|_| {
        let (id, message, address) = (id.clone(), message.clone(), relay.address);
        tokio::spawn(async move { post_to(address, &id, first, &[&message]).await.status })
    });
    for post in posts.collect::<Vec<_>>() {
        assert_eq!(post.await.unwrap(), 200);
    }
    assert_eq!(client.text().await, "once");
    assert!(client.is_quiet().await);
}

#[tokio::test]
async fn an_invalid_message_closes_a_stream_as_it_closes_a_websocket() {
    let relay = RelayProcess::start(&[]);
    let mut bystanders = Bystanders::on(&relay).await;
    let too_large = vec![0; limits::MAX_FRAME + 1];
    for (message, code) in [(&too_large[..], Code::FrameTooLarge), (b"no message", Code::MalformedFrame)] {
        let mut streamed = Streamed::open(&relay, "alice").await;
        assert_eq!(streamed.post(streamed.next, &[message]).await.status, 200);
        let (goodbye, close) = streamed.farewell().await;
        assert_eq!((goodbye.unwrap().code, close), (code.number(), Some(code.close_code() as u16)));
        // The stream no longer exists.
        assert_eq!(streamed.post(streamed.next, &[b"more"]).await.status, 404);
    }
    bystanders.must_be_untouched().await;
}

#[tokio::test]
async fn the_secret_of_a_stream_does_not_permit_to_change_its_app() {
    let other = App::new("other", "two", 2);
    let relay = RelayProcess::start_for(&[App::one(), other.clone()], &[]);
    let mut streamed = Streamed::open(&relay, "alice").await;
    let refresh =
        ToRelay::Refresh(Refresh { request: 1, token: other.session("mallory"), ..Refresh::default() });
    streamed.send(refresh).await;
    let ToClient::Failed(failed) = streamed.next().await else { panic!() };
    assert_eq!(Code::from_number(failed.code), Some(Code::TokenIdentity));
    streamed.send(ToRelay::Hello(Hello { token: other.session("mallory") })).await;
    let (goodbye, close) = streamed.farewell().await;
    assert_eq!((goodbye.unwrap().code, close), (Code::HelloExpected.number(), Some(4400)));
}

#[tokio::test]
async fn a_stream_that_is_not_read_is_closed_and_delays_no_other_client() {
    let relay = RelayProcess::start(&["--queue-bytes", "256KiB"]);
    let mut bystanders = Bystanders::on(&relay).await;
    let mut publisher = Client::open(&relay, "alice").await;
    let mut slow = Streamed::open(&relay, "carol").await;
    let start = slow.subscribe_since("absences", None).await.position.unwrap();
    let large = bytes::Bytes::from(vec![1; 100 * 1024]);
    for _ in 0..200 {
        match publisher.try_publish(channel("absences"), "", large.clone(), rand_id()).await {
            ToClient::Published(_) => {}
            other => panic!("{other:?}"),
        }
    }
    bystanders.must_be_untouched().await;
    let (goodbye, close) = slow.farewell().await;
    let goodbye = goodbye.unwrap();
    assert_eq!((goodbye.code, close), (Code::SlowConsumer.number(), Some(4429)));
    assert!(goodbye.reconnect_after_ms > 0);
    // After a reconnect, the client gets all missed messages.
    let mut back = Streamed::open(&relay, "carol").await;
    let subscribed = back.subscribe_since("absences", Some(Since::Position(start))).await;
    assert!(subscribed.recovered);
    let mut previous = start.offset;
    for _ in 0..200 {
        let ToClient::Publication(publication) = back.next().await else { panic!() };
        assert_eq!(publication.previous_offset, previous);
        previous = publication.offset;
    }
    bystanders.must_be_untouched().await;
}
