use super::*;
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{TcpListener as StdListener, TcpStream as StdStream},
    thread,
    time::Instant,
};

/// Starts a server that echoes every connection.
fn echo() -> SocketAddr {
    let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let mut writer = stream.try_clone().unwrap();
                let _ = std::io::copy(&mut { stream }, &mut writer);
            });
        }
    });
    address
}

fn connect(proxy: &FaultProxy) -> StdStream {
    let stream = StdStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// Sends bytes and returns the time until they are back.
fn round_trip(stream: &mut StdStream, len: usize) -> Duration {
    let start = Instant::now();
    let sent = vec![7; len];
    stream.write_all(&sent).unwrap();
    let mut received = vec![0; len];
    stream.read_exact(&mut received).unwrap();
    assert_eq!(received, sent);
    start.elapsed()
}

/// Checks that the other side resets the connection, and not that reading takes too long.
fn assert_reset(mut stream: StdStream) {
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn bytes_pass_in_both_directions_and_an_end_passes_in_one() {
    let proxy = FaultProxy::start(echo());
    let mut stream = connect(&proxy);
    round_trip(&mut stream, 3_000_000);
    stream.write_all(b"last").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"last");
}

#[test]
fn a_cut_resets_connections_and_leaves_new_ones_alone() {
    let proxy = FaultProxy::start(echo());
    let mut stream = connect(&proxy);
    round_trip(&mut stream, 1);
    proxy.cut();
    assert_reset(stream);
    round_trip(&mut connect(&proxy), 1);
}

#[test]
fn a_refusing_proxy_resets_new_connections_and_leaves_others_alone() {
    let proxy = FaultProxy::start(echo());
    let mut established = connect(&proxy);
    round_trip(&mut established, 1);
    proxy.set(Fault::Refuse);
    assert_reset(connect(&proxy));
    round_trip(&mut established, 1);
    proxy.set(Fault::None);
    round_trip(&mut connect(&proxy), 1);
}

#[test]
fn a_stalled_connection_stays_open_and_moves_no_byte_until_the_stall_ends() {
    let proxy = FaultProxy::start(echo());
    let mut stream = connect(&proxy);
    round_trip(&mut stream, 1);
    proxy.set(Fault::Stall);
    stream.write_all(b"late").unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let error = stream.read(&mut [0]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    proxy.set(Fault::None);
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut received = [0; 4];
    stream.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"late");
}

#[test]
fn a_delay_holds_for_both_directions_and_lets_many_bytes_travel_at_once() {
    let proxy = FaultProxy::start(echo());
    let mut stream = connect(&proxy);
    round_trip(&mut stream, 1);
    proxy.set(Fault::Delay(Duration::from_millis(100)));
    let took = round_trip(&mut stream, 200_000);
    assert!(took >= Duration::from_millis(200), "{took:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn a_limit_holds_for_bytes_per_second() {
    let proxy = FaultProxy::start(echo());
    let mut stream = connect(&proxy);
    round_trip(&mut stream, 1);
    proxy.set(Fault::Limit(100_000));
    let took = round_trip(&mut stream, 50_000);
    assert!(took >= Duration::from_millis(450), "{took:?}");
}

#[test]
fn new_connections_go_to_a_changed_target() {
    let proxy = FaultProxy::start(SocketAddr::from(([127, 0, 0, 1], 1)));
    assert_reset(connect(&proxy));
    proxy.set_target(echo());
    round_trip(&mut connect(&proxy), 1);
}

#[test]
fn a_dropped_proxy_closes_its_connections_and_its_port() {
    let proxy = FaultProxy::start(echo());
    let mut stream = connect(&proxy);
    round_trip(&mut stream, 1);
    let address = proxy.address();
    drop(proxy);
    assert_reset(stream);
    let deadline = Instant::now() + Duration::from_secs(10);
    while StdStream::connect(address).is_ok() {
        assert!(Instant::now() < deadline, "the port is still open");
        thread::sleep(Duration::from_millis(20));
    }
}
