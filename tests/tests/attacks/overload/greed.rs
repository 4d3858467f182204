//! Sessions that break no rule and take all they can get (`greed-`): the relay must serve other sessions in between.

use crate::{
    bystanders::{self, Latencies},
    case::{Case, case},
    target::{Target, channel, must_stay_open, random},
};
use sealwire_protocol::{
    Code,
    wire::{Refresh, Session, Since, Subscribe, ToClient, ToRelay, Unsubscribe},
};
use sealwire_tests::{Installation, RawSocket, frame};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread::{scope, sleep},
    time::{Duration, Instant},
};

/// The duration of each attack.
const DURATION: Duration = Duration::from_secs(2);
/// The number of greedy readers. Each keeps a core busy, and the test machine has two.
const READERS: usize = 3;
/// The number of publications to replay, which is the burst that an installation may publish.
const HISTORY: usize = 1500;
/// The number of sockets on a large channel, each with the maximum of sessions.
const CROWD: usize = 60;
/// The number of requests that a session sends at once.
const IN_FLIGHT: usize = 20;

pub(crate) const CASES: &[Case] = &[
    case("greed-replays", |target| {
        let name = with_history(target, "replays");
        request_without_pause(target, |socket| whole_replay(socket, &name, &[]));
    }),
    case("greed-replays-of-nothing", |target| {
        let name = with_history(target, "nothing");
        request_without_pause(target, |socket| {
            whole_replay(socket, &name, &["an event that nobody publishes"])
        });
    }),
    case("greed-subscriptions", |target| {
        let id = target.neighbour.channel_id(&crate::target::context(), "joined");
        request_without_pause(target, |socket| {
            let request = socket.request();
            let leave = ToRelay::Unsubscribe(Unsubscribe { request, channel_id: id.into() });
            [frame_of(&subscribe(socket, "joined", None, &[])), frame_of(&leave)].concat()
        });
    }),
    case("greed-refreshes", |target| {
        let token = target.neighbour.session("greedy", &crate::target::context(), 600);
        let bad = format!("{}AAAA", &token[..token.len() - 4]);
        request_without_pause(target, |socket| {
            let mut refresh = |token: &str| {
                let request = socket.request();
                frame_of(&ToRelay::Refresh(Refresh {
                    request,
                    token: token.to_owned(),
                    ..Refresh::default()
                }))
            };
            [refresh(&token), refresh(&bad)].concat()
        });
    }),
    case("greed-sessions", |target| {
        let token = target.neighbour.session("greedy", &crate::target::context(), 600);
        let hello = ToRelay::Hello(sealwire_protocol::wire::Hello { token });
        // Further sessions on the same socket, each of which leaves at once.
        request_without_pause(target, |socket| {
            let number = socket.request();
            let turn = |number| frame_of(&ToRelay::Session(Session { number }));
            let end = ToRelay::End(sealwire_protocol::wire::End {});
            [turn(number), frame_of(&hello), frame_of(&end), turn(0)].concat()
        });
    }),
    case("greed-of-a-large-channel", |target| {
        // The channel is in the same shard as the bystanders.
        let context = crate::target::context();
        let shard = |installation: &Installation, name: &str| {
            usize::from(installation.channel_id(&context, name).0[0])
                % std::thread::available_parallelism().map_or(1, usize::from)
        };
        let theirs = shard(&target.bystander, bystanders::NAME);
        let mut names = (0..).map(|number| format!("large-{number}"));
        let name = names.find(|name| shard(&target.neighbour, name) == theirs).unwrap();
        let mut sockets: Vec<_> = (0..CROWD).map(|number| crowded(target, number, &name)).collect();
        let mut writer = target.open(&target.neighbour, "author");
        let done = &AtomicBool::new(false);
        scope(|scope| {
            for sockets in sockets.chunks_mut(CROWD / READERS) {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        sockets
                            .iter_mut()
                            .for_each(|socket| assert!(socket.discard(Duration::from_millis(1))));
                    }
                });
            }
            let start = Instant::now();
            while start.elapsed() < DURATION {
                publish_many(&mut writer, &name, 100, 100);
                sleep(Duration::from_millis(400));
            }
            done.store(true, Ordering::Relaxed);
        });
        must_stay_open(&mut writer);
    }),
    case("greed-disconnects", |target| {
        let mut alice = target.alice();
        let request = |account: &str| {
            let body = format!("{{\"account\":\"{account}\"}}");
            format!(
                "POST /v1/disconnect HTTP/1.1\r\nhost: relay\r\ncontent-type: application/json\r\n\
                 authorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
                target.stranger.backend(),
                body.len()
            )
        };
        let (request, mut socket) = (request("alice"), RawSocket::connect(target.port));
        let (start, mut ended, mut refused) = (Instant::now(), 0, 0);
        while start.elapsed() < DURATION {
            socket.send(request.repeat(IN_FLIGHT).as_bytes());
            for _ in 0..IN_FLIGHT {
                let (head, body) = socket.response();
                if head.starts_with("HTTP/1.1 200") {
                    ended += 1;
                } else {
                    let is_explained = head.starts_with("HTTP/1.1 429") && head.contains("retry-after: ");
                    assert!(is_explained && body.contains("RATE_LIMITED"), "{head}{body}");
                    refused += 1;
                }
            }
        }
        assert!(ended < 1000 && refused > 0, "{ended} accepted, {refused} refused");
        must_stay_open(&mut alice);
        // The victim's app has a separate rate.
        let answer = target.exchange(&disconnect_once(target).into_bytes());
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }),
];

/// Runs the attacks one after the other with all rates out of reach, so that only the relay's scheduling protects the
/// bystanders and the probes of `/healthz`.
#[test]
#[allow(clippy::print_stdout, reason = "the test command shows the figures")]
fn greedy_sessions_make_nobody_wait() {
    // The limit on the p99 latency, or three times the quiet p99 if that is more: the machine may have other work.
    const MIN_LIMIT: Duration = Duration::from_millis(50);
    let rates =
        ["publish_rate", "publish_rate_per_app", "publish_burst", "publish_burst_per_app", "frame_rate"];
    let bytes = ["replay_rate", "replay_burst", "replay_rate_per_session", "replay_burst_per_session"];
    let settings = rates.map(|name| format!("{name} = 1000000\n")).concat()
        + &bytes.map(|name| format!("{name} = \"64GiB\"\n")).concat();
    let target = Target::start_with(&settings);
    let monitor = bystanders::Monitor::on(&target);
    sleep(DURATION);
    let (quiet, quiet_probes) = monitor.latencies();
    let limit = |quiet: &Latencies| MIN_LIMIT.max(3 * quiet.p99());
    let only = std::env::var("SEALWIRE_ATTACK").unwrap_or_default();
    let mut late = Vec::new();
    for case in CASES.iter().filter(|case| case.name.contains(&only)) {
        // A fault of the relay shows in every attempt; other work of the machine does not.
        let is_late = (0..3).all(|_| {
            monitor.latencies();
            (case.attack)(&target);
            let (messages, probes) = monitor.latencies();
            let millis = |latencies: &Latencies| latencies.p99().as_secs_f64() * 1e3;
            let (name, message_ms, probe_ms) = (case.name, millis(&messages), millis(&probes));
            println!("{name:<28} p99 {message_ms:>6.1} ms, /healthz {probe_ms:>6.1} ms");
            messages.p99() > limit(&quiet) || probes.p99() > limit(&quiet_probes)
        });
        if is_late {
            late.push(case.name);
        }
    }
    println!("quiet: p99 {:?}, /healthz {:?}", quiet.p99(), quiet_probes.p99());
    let (sent, received) = monitor.finish();
    assert_eq!(sent, received, "bystanders lost messages");
    assert!(late.is_empty(), "these attacks delayed the bystanders or /healthz: {late:?}");
}

fn frame_of(message: &ToRelay) -> Vec<u8> {
    frame(0x82, &message.to_bytes())
}

fn subscribe(socket: &mut RawSocket, name: &str, since: Option<Since>, events: &[&str]) -> ToRelay {
    let events = events.iter().map(|event| (*event).to_owned()).collect();
    ToRelay::Subscribe(Subscribe { request: socket.request(), channel: Some(channel(name)), since, events })
}

/// Returns a request for the whole replay of a channel.
fn whole_replay(socket: &mut RawSocket, name: &str, events: &[&str]) -> Vec<u8> {
    frame_of(&subscribe(socket, name, Some(Since::ReplaySeconds(120)), events))
}

/// Publishes [`HISTORY`] messages on a new channel and returns its name.
fn with_history(target: &Target, name: &str) -> String {
    let name = format!("{name}-{}", random::<1>()[0]);
    let mut writer = target.open(&target.neighbour, "author");
    let mut published = 0;
    for _ in 0..40 {
        if published < HISTORY {
            published += publish_many(&mut writer, &name, 100, 300);
            sleep(Duration::from_millis(10));
        }
    }
    name
}

/// Publishes `count` messages of `bytes` bytes in one burst. Returns the number of accepted messages: other clients of the
/// installation may have used up its rate.
fn publish_many(writer: &mut RawSocket, name: &str, count: usize, bytes: usize) -> usize {
    let burst: Vec<u8> = (0..count)
        .flat_map(|_| frame_of(&writer.publication(channel(name), vec![1; bytes], random())))
        .collect();
    writer.send(&burst);
    let answers = (0..count).map(|_| match writer.expect_message() {
        ToClient::Published(_) => 1,
        ToClient::Failed(failed) if failed.code == Code::RateLimited.number() => 0,
        other => panic!("{other:?}"),
    });
    answers.sum()
}

/// Makes a few sessions of one installation send requests as fast as the relay answers them, and read all the answers.
fn request_without_pause(target: &Target, request: impl Fn(&mut RawSocket) -> Vec<u8> + Sync) {
    let start = Instant::now();
    scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                let mut socket = target.open(&target.neighbour, "greedy");
                let mut writer = socket.try_clone();
                let is_over = || start.elapsed() >= DURATION;
                scope.spawn(move || while !is_over() && socket.discard(Duration::from_millis(20)) {});
                while !is_over() {
                    let burst: Vec<u8> = (0..IN_FLIGHT).flat_map(|_| request(&mut writer)).collect();
                    writer.set_write_timeout(Duration::from_millis(100));
                    if !writer.send(&burst) {
                        break;
                    }
                    // This is slightly more than a session may send.
                    sleep(Duration::from_millis(5));
                }
            });
        }
    });
    must_stay_open(&mut target.open(&target.neighbour, "modest"));
}

/// Opens a socket with the maximum of sessions, all subscribed to one channel.
fn crowded(target: &Target, number: usize, name: &str) -> RawSocket {
    let token = target.neighbour.session(&format!("crowd-{number}"), &crate::target::context(), 600);
    let mut socket = RawSocket::open(target.port, &token);
    let mut frames = frame_of(&subscribe(&mut socket, name, None, &[]));
    for number in 1..32 {
        let hello = ToRelay::Hello(sealwire_protocol::wire::Hello { token: token.clone() });
        frames.extend(frame_of(&ToRelay::Session(Session { number })));
        frames.extend(frame_of(&hello));
        frames.extend(frame_of(&subscribe(&mut socket, name, None, &[])));
    }
    socket.send(&frames);
    let mut subscribed = 0;
    while subscribed < 32 {
        subscribed += usize::from(matches!(socket.expect_message(), ToClient::Subscribed(_)));
    }
    socket
}

fn disconnect_once(target: &Target) -> String {
    let body = "{\"account\":\"nobody\"}";
    format!(
        "POST /v1/disconnect HTTP/1.1\r\nhost: relay\r\nconnection: close\r\ncontent-type: application/json\r\n\
         authorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
        target.victim.backend(),
        body.len()
    )
}
