//! Frames whose content is not a valid message of the protocol.

use super::*;

pub(super) const CASES: &[Case] = &[
    case("ws-no-protobuf", |target| {
        // Batches are valid only from the relay to a client.
        let batch = [0x82, 2, 0x32, 0, 0x82, 2, 0x32, 0];
        for bytes in
            [&b""[..], b"hello", &[0xff; 300], &[0x1a, 0x05, 0x08], &[0x0b], &[0x07], &[0x00; 64], &batch]
        {
            must_end_with(target, &frame(0x82, bytes), Code::MalformedFrame);
        }
    }),
    case("ws-protobuf-length-beyond-the-message", |target| {
        let endless = [0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f];
        must_end_with(target, &frame(0x82, &endless), Code::MalformedFrame);
        must_end_with(
            target,
            &frame(0x82, &[0x2a, 0x05, 0x22, 0xff, 0xff, 0xff, 0x7f]),
            Code::MalformedFrame,
        );
    }),
    case("ws-protobuf-groups-nested", |target| {
        // No message has nested groups; a recursive decoder could overflow its stack.
        must_end_with(target, &frame(0x82, &[0x7b; 60_000]), Code::MalformedFrame);
        let nested = (0..2000).fold(vec![], |inner: Vec<u8>, _| {
            let mut outer = vec![0x12];
            prost::encoding::encode_varint(inner.len() as u64, &mut outer);
            [outer, inner].concat()
        });
        must_end_with(target, &frame(0x82, &nested), Code::MalformedFrame);
    }),
    case("ws-token-not-utf-8", |target| {
        must_end_before_hello(
            target,
            &frame(0x82, &[0x0a, 0x04, 0x0a, 0x02, 0xff, 0xfe]),
            Code::MalformedFrame,
        );
    }),
    case("ws-message-twice-in-a-frame", |target| {
        // The last value of a repeated field counts, so the second Hello in the frame replaces the first.
        let hello = |token: &str| ToRelay::Hello(Hello { token: token.into() }).to_bytes();
        let bytes = [hello(&target.token_with(serde_json::json!({}))), hello("forged")].concat();
        must_end_before_hello(target, &frame(0x82, &bytes), Code::TokenMalformed);
    }),
    case("ws-request-number-zero", |target| {
        let unsubscribe = ToRelay::Unsubscribe(Unsubscribe { request: 0, channel_id: vec![0; 16].into() });
        must_end_with(target, &frame(0x82, &unsubscribe.to_bytes()), Code::MalformedFrame);
    }),
    case("ws-ids-of-other-sizes", |target| {
        for len in [0, 1, 15, 17, 1000] {
            let unsubscribe =
                ToRelay::Unsubscribe(Unsubscribe { request: 1, channel_id: vec![0; len].into() });
            must_end_with(target, &frame(0x82, &unsubscribe.to_bytes()), Code::MalformedFrame);
        }
    }),
];
