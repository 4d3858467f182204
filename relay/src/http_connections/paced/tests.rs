use super::*;
use crate::{http_connections::HttpConnections, limits::Limits, memory::Memory, settings::Settings};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    time::sleep,
};

const TIMEOUT: Duration = Duration::from_secs(20);
const BUFFER: usize = 1024;

impl ClientSocket for DuplexStream {
    fn close_abruptly(&self) {}
}

/// Returns both ends of a connection, its HTTP connection, and the memory that accounts it.
fn connection() -> (DuplexStream, Paced<DuplexStream>, Arc<HttpConnection>, Arc<Memory>) {
    let memory = Arc::new(Memory::new(1 << 30));
    let settings = Settings { write_timeout: TIMEOUT, ..Settings::default() };
    let limits = Arc::new(Limits::new(settings, std::time::Instant::now()));
    let connection = Arc::new(HttpConnections::new(memory.clone(), limits)).register(false);
    let (client, server) = duplex(BUFFER);
    (client, Paced::new(server, connection.clone()), connection, memory)
}

/// Writes `bytes`. Returns the time that it took, or the error that ended the connection.
async fn write_bytes(mut paced: Paced<DuplexStream>, bytes: usize) -> Result<Duration, io::Error> {
    let begun = Instant::now();
    match paced.write_all(&vec![7; bytes]).await.and(paced.flush().await) {
        Ok(()) => Ok(begun.elapsed()),
        Err(error) => {
            assert!(paced.connection.is_closing_now());
            Err(error)
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_is_disconnected_after_the_timeout() {
    let (_client, paced, _, memory) = connection();
    let begun = Instant::now();
    let error = write_bytes(paced, BUFFER + 1).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!((TIMEOUT..TIMEOUT + Duration::from_secs(1)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    assert_eq!(memory.usage().unauthenticated, 0, "the account of the kernel buffers outlives the socket");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_a_byte_per_second_is_disconnected() {
    let (mut client, paced, ..) = connection();
    let writer = tokio::spawn(write_bytes(paced, 1 << 20));
    let begun = Instant::now();
    let trickle = tokio::spawn(async move {
        // The client makes progress every second, below the minimum rate.
        while client.read_u8().await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
    });
    assert_eq!(writer.await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(begun.elapsed() < TIMEOUT + Duration::from_secs(5), "{:?}", begun.elapsed());
    trickle.abort();
}

#[tokio::test(start_paused = true)]
async fn a_quick_client_that_stops_has_no_more_time_than_a_slow_one() {
    let (mut client, paced, ..) = connection();
    let writer = tokio::spawn(write_bytes(paced, 10 << 20));
    let mut read = vec![0; 8 << 20];
    client.read_exact(&mut read).await.unwrap();
    let begun = Instant::now();
    assert_eq!(writer.await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(begun.elapsed() <= TIMEOUT + Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_slow_client_above_the_minimum_rate_gets_every_response() {
    let (mut client, mut paced, _guest, memory) = connection();
    let idle = memory.usage().unauthenticated;
    let reader = tokio::spawn(async move {
        let mut read = vec![0; BUFFER];
        let mut sum = 0;
        // The client reads at twice the minimum rate, for ten minutes.
        while let Ok(count @ 1..) = client.read(&mut read).await {
            sum += count;
            sleep(Duration::from_millis(500)).await;
        }
        sum
    });
    for _ in 0..6 {
        paced.write_all(&vec![7; 200 * BUFFER]).await.unwrap();
        assert!(memory.usage().unauthenticated > idle);
        paced.flush().await.unwrap();
        assert_eq!(memory.usage().unauthenticated, idle);
        // The time between two responses does not count.
        sleep(10 * TIMEOUT).await;
    }
    drop(paced);
    assert_eq!(reader.await.unwrap(), 6 * 200 * BUFFER);
}

#[tokio::test]
async fn received_bytes_are_accounted_and_refused_while_a_stream_is_open() {
    let (mut client, mut paced, connection, memory) = connection();
    let idle = memory.usage().unauthenticated;
    client.write_all(&[7; 500]).await.unwrap();
    let mut read = vec![0; BUFFER];
    assert_eq!(paced.read(&mut read).await.unwrap(), 500);
    assert!(memory.usage().unauthenticated >= idle + 500);
    connection.answered();
    assert_eq!(memory.usage().unauthenticated, idle);
    connection.begin_stream();
    client.write_all(b"more").await.unwrap();
    assert_eq!(paced.read(&mut read).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    drop((paced, connection));
    assert_eq!(memory.usage().total(), 0);
}

#[tokio::test]
async fn unauthenticated_connections_past_their_share_are_ended_and_authenticated_ones_stay() {
    let memory = Arc::new(Memory::new(1 << 20));
    let limits = Arc::new(Limits::new(Settings::default(), std::time::Instant::now()));
    let connections = Arc::new(HttpConnections::new(memory.clone(), limits));
    let mut admitted = Vec::new();
    while connections.admits_one_more(false) {
        let (client, server) = duplex(64 * 1024);
        let connection = connections.register(false);
        admitted.push((client, Paced::new(server, connection.clone()), connection));
    }
    assert!((5..12).contains(&admitted.len()), "{}", admitted.len());
    admitted[0].2.mark_authenticated();
    let mut results = Vec::new();
    for (client, paced, _) in &mut admitted {
        client.write_all(&[7; 16 * 1024]).await.unwrap();
        results.push(paced.read(&mut [0; 16 * 1024]).await.is_ok());
    }
    assert!(results[0] && results.contains(&false), "{results:?} {:?}", memory.usage());
}
