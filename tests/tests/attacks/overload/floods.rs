//! Attacks that exceed a limit (`flood-`): the relay must refuse with the limit's code and serve everybody else.

use crate::{
    case::{Case, case, measured, slow},
    growth::Growth,
    target::{
        CONNECTIONS_PER_ADDRESS, SESSIONS_PER_ACCOUNT, Target, channel, context, must_be_rate_limited,
        must_fail, must_stay_open, random, sealed,
    },
};
use sealwire_protocol::{
    Code,
    wire::{Hello, ToClient, ToRelay, Unsubscribe},
};
use sealwire_tests::{RawSocket, Received, frame, upgrade_request};
use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

pub(crate) const CASES: &[Case] = &[
    case("flood-connections", |target| {
        let address = Ipv4Addr::new(127, 0, 0, 9);
        let mut sockets: Vec<_> =
            (0..CONNECTIONS_PER_ADDRESS).map(|_| target.connect_from(address)).collect();
        let last = sockets.last_mut().unwrap();
        last.upgrade();
        last.hello(&target.victim.session("mallory", &context(), 600));
        for _ in 0..20 {
            let mut more = target.connect_from(address);
            more.send(&upgrade_request("connection: close\r\n"));
            let answer = more.text();
            assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
            let is_explained = answer.to_ascii_lowercase().contains("retry-after: ")
                && answer.contains("TOO_MANY_CONNECTIONS");
            assert!(is_explained, "{answer}");
        }
        must_stay_open(last);
        // Other addresses are unaffected, and so is this one once some of its connections have ended.
        must_stay_open(&mut target.mallory());
        sockets.truncate(CONNECTIONS_PER_ADDRESS / 2);
        let start = Instant::now();
        while !is_admitted(target, address) {
            assert!(start.elapsed() < Duration::from_secs(10), "closed connections still count");
        }
    }),
    slow("flood-half-open", |target| {
        let address = Ipv4Addr::new(127, 0, 0, 8);
        let start = Instant::now();
        let sockets: Vec<_> = (0..CONNECTIONS_PER_ADDRESS).map(|_| target.connect_from(address)).collect();
        assert!(!is_admitted(target, address), "silent connections do not count");
        while !is_admitted(target, address) {
            assert!(start.elapsed() < Duration::from_secs(25), "silent connections stay open");
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
            (0..100).for_each(|_| assert!(socket.response().0.starts_with("HTTP/1.1 426")));
        }
        let lines = target.relay.log().lines().count() - before;
        assert!(lines < 500, "the relay logged {lines} lines");
    }),
    case("flood-publishes", |target| {
        // A session has one publication under way, and the rate of a broker with acknowledgements is low for one session.
        let mut sessions: Vec<_> = (0..8).map(|_| target.open(&target.neighbour, "mallory")).collect();
        let publish = |socket: &mut RawSocket| {
            let message = socket.publication(channel("flood"), sealed("x"), random());
            frame(0x82, &message.to_bytes())
        };
        let (mut published, mut refused) = (0, 0);
        for _ in 0..6 {
            for mallory in &mut sessions {
                let burst: Vec<u8> = (0..100).flat_map(|_| publish(mallory)).collect();
                mallory.send(&burst);
            }
            for answer in sessions.iter_mut().flat_map(|mallory| (0..100).map(|_| mallory.expect_message())) {
                match answer {
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
        let mut alice = target.alice();
        let answer = alice.publish(channel("flood"), sealed("x"), random());
        assert!(matches!(answer, ToClient::Published(_)), "{answer:?}");
    }),
    case("flood-frames", |target| {
        let mut mallory = target.mallory();
        let request = ToRelay::Unsubscribe(Unsubscribe { request: 1, channel_id: vec![0; 16].into() });
        let burst = frame(0x82, &request.to_bytes()).repeat(100);
        let mut writer = mallory.try_clone();
        let flood = std::thread::spawn(move || (0..600).take_while(|_| writer.send(&burst)).count());
        let end = mallory.read_to_end();
        must_be_rate_limited(&end);
        assert!(end.before.len() < 50_000, "{} frames were answered", end.before.len());
        flood.join().unwrap();
    }),
    case("flood-members", |target| {
        // The limits that are the default.
        const MEMBERS_PER_ACCOUNT: usize = 50;
        const BURST: usize = 128;
        let mut members = Vec::new();
        let refusal = loop {
            let mut page = target.mallory();
            match page.enter(channel("crowd"), random(), 1) {
                ToClient::PresenceAccepted(_) => members.push(page),
                refusal => break refusal,
            }
            assert!(members.len() <= MEMBERS_PER_ACCOUNT);
        };
        must_fail(&refusal, Code::TooManyMembers);
        assert_eq!(members.len(), MEMBERS_PER_ACCOUNT);
        // Entries of one member, as fast as the relay answers.
        let (page, member) = (&mut members[0], random());
        let answers = (1..).map(|number| page.enter(channel("updates"), member, number));
        let accepted = answers.take_while(|answer| matches!(answer, ToClient::PresenceAccepted(_))).count();
        assert!((BURST - 8..BURST * 2).contains(&accepted), "{accepted} entries");
        must_fail(&page.enter(channel("updates"), member, u64::MAX), Code::RateLimited);
        let answer = target.alice().enter(channel("crowd"), random(), 1);
        assert!(matches!(answer, ToClient::PresenceAccepted(_)), "{answer:?}");
    }),
    case("flood-sessions-of-an-account", |target| {
        let open = || RawSocket::open(target.port, &target.victim.session("hoarder", &context(), 600));
        let mut sockets: Vec<_> = (0..SESSIONS_PER_ACCOUNT).map(|_| open()).collect();
        let mut more = RawSocket::upgraded(target.port);
        let token = target.victim.session("hoarder", &context(), 600);
        more.send_message(&ToRelay::Hello(Hello { token }));
        assert_eq!(more.read_to_end().goodbye, Some(Code::TooManyConnections.number()));
        must_stay_open(sockets.last_mut().unwrap());
        must_stay_open(&mut target.open(&target.victim, "somebody else"));
    }),
    measured("flood-slow-readers", |target| {
        let growth = Growth::of([&target.relay]);
        let mut readers: Vec<_> = (0..20)
            .map(|number| {
                let mut reader = target.connect_narrow();
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
        growth.must_be_below(100 << 20);
        for reader in &mut readers {
            let end = reader.read_to_end();
            assert_eq!(end.goodbye, Some(Code::SlowConsumer.number()), "{:?}", end.close);
            let publications = end.before.iter().filter(|one| matches!(one, Received::Message(_)));
            assert!(publications.count() < 70, "the whole backlog was kept for a client that does not read");
        }
    }),
];

fn is_admitted(target: &Target, address: Ipv4Addr) -> bool {
    let mut socket = target.connect_from(address);
    socket.send(b"GET /healthz HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n\r\n");
    socket.text().starts_with("HTTP/1.1 200")
}
