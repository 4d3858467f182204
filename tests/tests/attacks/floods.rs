//! More of everything than there is room for.

use crate::{
    case::{Case, case, patient},
    target::{
        CONNECTIONS_PER_ADDRESS, SESSIONS_PER_ACCOUNT, Target, channel, context, must_have_been_too_fast,
        must_live, random, sealed,
    },
};
use sealwire_protocol::{
    Code,
    wire::{Hello, ToClient, ToRelay, Unsubscribe},
};
use sealwire_tests::{RawSocket, Received, frame, upgrade_request};
use socket2::{Domain, Socket, Type};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

pub(crate) const CASES: &[Case] = &[
    case("flood-connections", |target| {
        let address = Ipv4Addr::new(127, 0, 0, 9);
        let mut sockets: Vec<_> = (0..CONNECTIONS_PER_ADDRESS).map(|_| from(target, address)).collect();
        let last = sockets.last_mut().unwrap();
        last.upgrade();
        last.hello(&target.victim.session("mallory", &context(), 600));
        for _ in 0..20 {
            let mut more = from(target, address);
            more.send(&upgrade_request("connection: close\r\n"));
            let answer = more.text();
            assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
            let told = answer.to_ascii_lowercase().contains("retry-after: ")
                && answer.contains("TOO_MANY_CONNECTIONS");
            assert!(told, "{answer}");
        }
        must_live(last);
        // Who is elsewhere has room, and so has the address once somebody left.
        must_live(&mut target.mallory());
        sockets.truncate(CONNECTIONS_PER_ADDRESS / 2);
        let start = Instant::now();
        while !is_let_in(target, address) {
            assert!(start.elapsed() < Duration::from_secs(10), "who left takes up room");
        }
    }),
    patient("flood-half-open", |target| {
        let address = Ipv4Addr::new(127, 0, 0, 8);
        let start = Instant::now();
        let sockets: Vec<_> = (0..CONNECTIONS_PER_ADDRESS).map(|_| from(target, address)).collect();
        assert!(!is_let_in(target, address), "connections that say nothing do not count");
        while !is_let_in(target, address) {
            assert!(start.elapsed() < Duration::from_secs(25), "connections that say nothing stay");
            std::thread::sleep(Duration::from_millis(250));
        }
        drop(sockets);
    }),
    case("flood-handshakes", |target| {
        let before = target.relay.log().lines().count();
        let request = String::from_utf8(upgrade_request("")).unwrap().replace("version: 13", "version: 7");
        let mut socket = RawSocket::connect(target.port);
        for _ in 0..10 {
            socket.send(request.repeat(100).as_bytes());
            (0..100).for_each(|_| assert!(socket.answer().0.starts_with("HTTP/1.1 426")));
        }
        let lines = target.relay.log().lines().count() - before;
        assert!(lines < 500, "{lines} lines in the log");
    }),
    case("flood-publishes", |target| {
        let mut mallory = target.open(&target.neighbour, "mallory");
        let publish = |socket: &mut RawSocket| {
            let message = socket.publication(channel("flood"), sealed("x"), random());
            frame(0x82, &message.to_bytes())
        };
        let (mut published, mut refused) = (0, 0);
        for _ in 0..40 {
            let burst: Vec<u8> = (0..100).flat_map(|_| publish(&mut mallory)).collect();
            mallory.send(&burst);
            for _ in 0..100 {
                match mallory.expect() {
                    ToClient::Published(_) => published += 1,
                    ToClient::Failed(failed) => {
                        assert_eq!(failed.code, Code::RateLimited.number());
                        assert!(failed.retry_after_ms > 0);
                        refused += 1;
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        assert!(published >= 2000 && refused > 0, "{published} published, {refused} refused");
        let mut alice = target.open(&target.victim, "alice");
        let answer = alice.publish(channel("flood"), sealed("x"), random());
        assert!(matches!(answer, ToClient::Published(_)), "{answer:?}");
    }),
    case("flood-frames", |target| {
        let mut mallory = target.mallory();
        let request = ToRelay::Unsubscribe(Unsubscribe { request: 1, channel_id: vec![0; 16].into() });
        let burst = frame(0x82, &request.to_bytes()).repeat(100);
        let mut writer = mallory.try_clone();
        let flood = std::thread::spawn(move || (0..600).take_while(|_| writer.send(&burst)).count());
        let farewell = mallory.farewell();
        must_have_been_too_fast(&farewell);
        assert!(farewell.before.len() < 50_000, "{} frames were answered", farewell.before.len());
        flood.join().unwrap();
    }),
    case("flood-sessions-of-an-account", |target| {
        let open = || RawSocket::open(target.port, &target.victim.session("hoarder", &context(), 600));
        let mut sockets: Vec<_> = (0..SESSIONS_PER_ACCOUNT).map(|_| open()).collect();
        let mut more = RawSocket::upgraded(target.port);
        let token = target.victim.session("hoarder", &context(), 600);
        more.message(&ToRelay::Hello(Hello { token }));
        assert_eq!(more.farewell().goodbye, Some(Code::TooManyConnections.number()));
        must_live(sockets.last_mut().unwrap());
        must_live(&mut target.open(&target.victim, "somebody else"));
    }),
    case("flood-slow-readers", |target| {
        let before = target.relay.memory();
        let mut readers: Vec<_> = (0..20)
            .map(|number| {
                let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
                socket.set_recv_buffer_size(4096).unwrap();
                socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, target.port)).into()).unwrap();
                let mut reader = RawSocket::over(socket.into());
                reader.upgrade();
                reader.hello(&target.victim.session(&format!("slow-{number}"), &context(), 600));
                assert!(matches!(reader.subscribe(channel("slow"), None), ToClient::Subscribed(_)));
                reader
            })
            .collect();
        let mut writer = target.mallory();
        for _ in 0..70 {
            let answer = writer.publish(channel("slow"), vec![1; 100 * 1024], random());
            assert!(matches!(answer, ToClient::Published(_)), "{answer:?}");
        }
        let grown = target.relay.memory().saturating_sub(before);
        assert!(grown < 100 << 20, "{grown} bytes more");
        for reader in &mut readers {
            let farewell = reader.farewell();
            assert_eq!(farewell.goodbye, Some(Code::SlowConsumer.number()), "{:?}", farewell.close);
            let publications = farewell.before.iter().filter(|one| matches!(one, Received::Message(_)));
            assert!(publications.count() < 70, "all of it waited for who did not read");
        }
    }),
];

/// A connection from another address of this machine.
pub(crate) fn from(target: &Target, address: Ipv4Addr) -> RawSocket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((address, 0)).into()).unwrap();
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, target.port)).into()).unwrap();
    RawSocket::over(socket.into())
}

fn is_let_in(target: &Target, address: Ipv4Addr) -> bool {
    let mut socket = from(target, address);
    socket.send(b"GET /healthz HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n\r\n");
    socket.text().starts_with("HTTP/1.1 200")
}
