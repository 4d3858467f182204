//! Checks that the .proto file, the contract for other languages, and the Rust types that Sealwire uses agree.
#![allow(clippy::unwrap_used)]

use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MessageDescriptor, ReflectMessage as _, Value};
use sealwire_protocol::wire::{ToClient, ToRelay};
use sealwire_vectors::{FrameCase, from_hex, load};
use std::collections::BTreeSet;

fn contract() -> DescriptorPool {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/proto");
    let files = protox::compile(["sealwire/v1/realtime.proto"], [folder]).unwrap();
    DescriptorPool::from_file_descriptor_set(files).unwrap()
}

fn message(pool: &DescriptorPool, name: &str) -> MessageDescriptor {
    pool.get_message_by_name(&format!("sealwire.v1.{name}")).unwrap()
}

/// Returns a message in which every field has a value other than its default.
fn filled(descriptor: &MessageDescriptor) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields() {
        let value = match field.kind() {
            Kind::Uint32 => Value::U32(7),
            Kind::Uint64 => Value::U64(1 << 40),
            Kind::Bool => Value::Bool(true),
            Kind::String => Value::String(field.name().into()),
            Kind::Bytes => Value::Bytes(vec![9; 16].into()),
            Kind::Message(inner) => Value::Message(filled(&inner)),
            other => panic!("this test has no value for a field of the kind {other:?}"),
        };
        let value = if field.is_list() { Value::List(vec![value.clone(), value]) } else { value };
        message.set_field(&field, value);
    }
    message
}

fn every_variant_survives(direction: &str, recode: impl Fn(Vec<u8>) -> Vec<u8>) -> usize {
    let pool = contract();
    let frame = message(&pool, direction);
    for variant in frame.fields() {
        let Kind::Message(inner) = variant.kind() else { panic!("every variant is a message") };
        // A oneof holds one member at a time, so the message is filled once for each member.
        let rest: Vec<_> = inner.fields().filter(|field| field.containing_oneof().is_some()).collect();
        let fillings = if rest.is_empty() { vec![None] } else { rest.into_iter().map(Some).collect() };
        for kept in fillings {
            let mut content = filled(&inner);
            if let Some(kept) = kept {
                let value = match kept.kind() {
                    Kind::Message(position) => Value::Message(filled(&position)),
                    _ => Value::U32(60),
                };
                content.set_field(&kept, value);
            }
            let mut sent = DynamicMessage::new(frame.clone());
            sent.set_field(&variant, Value::Message(content));
            let encoded = prost::Message::encode_to_vec(&sent);
            let received = DynamicMessage::decode(frame.clone(), &recode(encoded)[..]).unwrap();
            assert_eq!(received, sent, "{} of {direction}", variant.name());
            assert_eq!(received.unknown_fields().count(), 0);
        }
    }
    frame.fields().len()
}

#[test]
fn every_field_of_every_message_to_the_relay_survives_decoding_and_encoding() {
    let count =
        every_variant_survives("ToRelay", |bytes| ToRelay::from_bytes(bytes.into()).unwrap().to_bytes());
    assert_eq!(count, 13);
}

#[test]
fn every_field_of_every_message_to_a_client_survives_decoding_and_encoding() {
    let count =
        every_variant_survives("ToClient", |bytes| ToClient::from_bytes(bytes.into()).unwrap().to_bytes());
    assert_eq!(count, 15);
}

#[test]
fn the_frame_vectors_cover_every_message_and_have_no_field_outside_the_contract() {
    let pool = contract();
    let mut seen = BTreeSet::new();
    for case in load::<Vec<FrameCase>>("frames").unwrap() {
        let direction = if case.direction == "to-relay" { "ToRelay" } else { "ToClient" };
        let frame =
            DynamicMessage::decode(message(&pool, direction), &from_hex(&case.bytes).unwrap()[..]).unwrap();
        let (field, value) = frame.fields().next().unwrap();
        let Value::Message(inner) = value else { panic!("every variant is a message") };
        assert_eq!(inner.descriptor().name(), case.message);
        assert_eq!(frame.unknown_fields().count() + inner.unknown_fields().count(), 0, "{}", field.name());
        seen.insert((case.direction, case.message));
    }
    let known = ["ToRelay", "ToClient"].map(|name| message(&pool, name).fields().len()).iter().sum::<usize>();
    assert_eq!(seen.len(), known);
}
