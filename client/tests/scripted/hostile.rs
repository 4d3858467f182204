//! A hostile relay that sends arbitrary frames: the client never panics, never loops, and never delivers a message that was
//! not sealed for it.

use crate::support::*;
use sealwire_client::{Entropy, Event};
use sealwire_protocol::{
    Code,
    wire::{
        Ended, Failed, Goodbye, Ping, Pong, Position, Published, Refreshed, Subscribed, ToClient,
        Unsubscribed, Welcome,
    },
};

struct Dice(TestEntropy);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes) % sides
    }

    fn small(&mut self) -> u32 {
        u32::try_from(self.roll(12)).unwrap()
    }

    fn offset(&mut self) -> u64 {
        [0, 9, 10, 11, 12, 13, u64::MAX][usize::try_from(self.roll(7)).unwrap()]
    }

    fn message(&mut self) -> ToClient {
        let name = if self.roll(4) == 0 { "other" } else { "absences" };
        let (request, channel) = (self.small(), channel_id(name));
        let code = Code::ALL[usize::try_from(self.roll(Code::ALL.len() as u64)).unwrap()].number();
        let position =
            Some(Position { epoch: EPOCH + self.roll(2), offset: self.offset(), time_ms: self.offset() });
        match self.roll(24) {
            0 => {
                ToClient::Goodbye(Goodbye { code, message: String::new(), reconnect_after_ms: self.small() })
            }
            1 => ToClient::Ended(Ended { channel_id: channel.into(), code, message: String::new() }),
            2 | 3 => ToClient::Failed(Failed {
                request,
                code,
                message: String::new(),
                retry_after_ms: self.small(),
            }),
            4 | 5 => ToClient::Subscribed(Subscribed {
                request,
                channel_id: channel.into(),
                position,
                recovered: self.roll(2) == 0,
                replay_end: self.roll(8),
            }),
            6 => ToClient::Unsubscribed(Unsubscribed { request }),
            7 => ToClient::Published(Published { request, position, time_ms: self.offset() }),
            8 => ToClient::Refreshed(Refreshed { request, expires_at: self.offset() }),
            9 => ToClient::Welcome(Welcome::default()),
            10 => ToClient::Ping(Ping { marks: position.into_iter().collect() }),
            11 => ToClient::Pong(Pong {}),
            _ => {
                let key = u8::try_from(1 + self.roll(3)).unwrap();
                publication_under(key, name, self.offset(), self.offset(), "genuine")
            }
        }
    }
}

#[test]
fn the_client_survives_any_sequence_of_messages() {
    for seed in 0..300 {
        let mut dice = Dice(TestEntropy(seed));
        let (mut harness, _) = Harness::subscribed("absences");
        harness.subscribe("absences");
        for _ in 0..100 {
            if harness.connection.is_none() {
                break;
            }
            match dice.roll(10) {
                0 => drop(harness.publish("absences", "1")),
                1 => drop(harness.subscribe_with(channel("absences"), Some(dice.small()))),
                2 => harness.advance(dice.roll(3_000)),
                _ => harness.receive(dice.message()),
            }
        }
        for event in &harness.events {
            if let Event::Message { message, .. } = event {
                assert_eq!(message.payload, "genuine");
            }
        }
        harness.advance(120_000);
    }
}

#[test]
fn the_client_survives_any_mangled_message() {
    let mut dice = Dice(TestEntropy(1));
    for _ in 0..3_000 {
        let (mut harness, _) = Harness::subscribed("absences");
        let mut bytes = dice.message().to_bytes();
        for _ in 0..=dice.roll(3) {
            let at = usize::try_from(dice.roll(bytes.len() as u64 + 1)).unwrap();
            match dice.roll(3) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, u8::try_from(dice.roll(256)).unwrap()),
                _ if at < bytes.len() => bytes[at] ^= u8::try_from(1 << dice.roll(8)).unwrap(),
                _ => {}
            }
        }
        let (now, connection) = (harness.now(), harness.connection.unwrap());
        harness.client.handle_frame(now, connection, Some(bytes.into()));
        harness.drain();
        for event in &harness.events {
            if let Event::Message { message, .. } = event {
                assert_eq!(message.payload, "genuine");
            }
        }
    }
}
