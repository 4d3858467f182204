//! Malformed frames and messages, byte by byte.

use super::bystanders::Bystanders;
use crate::support::{App, Client, RelayProcess, handshake, masked, read_frame};
use sealwire_protocol::{Code, limits};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn malformed_messages_close_only_their_own_connection() {
    let relay = RelayProcess::start(&[]);
    let mut bystanders = Bystanders::on(&relay).await;
    for (message, code) in [
        (Message::Text("hello".into()), Code::TextFrame),
        (Message::Binary(vec![].into()), Code::MalformedFrame),
        (Message::Binary(vec![0x1a, 0x05, 0x08].into()), Code::MalformedFrame),
        (Message::Binary(vec![0xff; 300].into()), Code::MalformedFrame),
        (Message::Binary(vec![0; limits::MAX_FRAME + 1].into()), Code::FrameTooLarge),
    ] {
        let mut before_hello = Client::connect(relay.address).await;
        before_hello.send_raw(message.clone()).await;
        before_hello.must_end_with(code).await;
        let mut open = Client::open(&relay, "mallory").await;
        open.send_raw(message).await;
        open.must_end_with(code).await;
        bystanders.must_be_untouched().await;
    }
    let log = relay.log_with("FRAME_TOO_LARGE").await;
    assert!(log.contains("audit") && log.contains("mallory") && log.contains("127.0.0.1"), "{log}");
}

#[tokio::test]
async fn frames_that_violate_rfc_6455_close_the_connection_with_1002() {
    let relay = RelayProcess::start(&[]);
    let mut bystanders = Bystanders::on(&relay).await;
    for frame in [
        &[0x82, 0x01, 0x00][..],                                 // not masked
        &[0xc2, 0x81, 0, 0, 0, 0, 0],                            // a reserved bit
        &[0x83, 0x80, 0, 0, 0, 0],                               // a reserved opcode
        &[0x80, 0x80, 0, 0, 0, 0],                               // a continuation without a message
        &[0x09, 0x80, 0, 0, 0, 0],                               // a fragmented ping
        &[0x89, 0xfe, 0, 126, 0, 0, 0, 0],                       // a ping that is too long
        &[0x82, 0xfe, 0, 1, 0, 0, 0, 0, 0],                      // a length that is not in its shortest form
        &[0x02, 0x81, 0, 0, 0, 0, 1, 0x82, 0x81, 0, 0, 0, 0, 1], // a message within a message
    ] {
        let mut stream = handshake(&relay).await;
        stream.write_all(frame).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, [0x88, 2, 0x03, 0xea], "{frame:x?}");
    }
    bystanders.must_be_untouched().await;
}

#[tokio::test]
async fn a_frame_with_an_excessive_length_is_refused_before_its_payload_arrives() {
    let relay = RelayProcess::start(&[]);
    let mut stream = handshake(&relay).await;
    stream
        .write_all(&[0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])
        .await
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.ends_with(&[0x88, 2, 0x11, 0x3d]), "{answer:x?}");
}

#[tokio::test]
async fn a_fragmented_message_with_pings_between_its_fragments_is_accepted() {
    use sealwire_protocol::wire::{Hello, ToClient, ToRelay};
    let relay = RelayProcess::start(&[]);
    let hello = ToRelay::Hello(Hello { token: App::one().session("alice") }).to_bytes();
    let (first, rest) = hello.split_at(100);
    let mut stream = handshake(&relay).await;
    let frames = [masked(0x02, first), masked(0x89, b"hi"), masked(0x80, rest)].concat();
    // The frames arrive in small pieces, as on a slow network.
    for byte in frames.chunks(17) {
        stream.write_all(byte).await.unwrap();
        stream.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut pong = [0; 4];
    stream.read_exact(&mut pong).await.unwrap();
    assert_eq!(pong, [0x8a, 2, b'h', b'i']);
    let message = read_frame(&mut stream).await;
    assert!(matches!(ToClient::from_bytes(message.into()), Ok(ToClient::Welcome(_))));
    // The relay answers the close frame.
    stream.write_all(&masked(0x88, &[0x03, 0xe8])).await.unwrap();
    let mut close = Vec::new();
    stream.read_to_end(&mut close).await.unwrap();
    assert_eq!(close, [0x88, 2, 0x03, 0xe8]);
}
