use super::*;
use crate::{guests::Guests, limits::Limits, memory::Memory, settings::Settings};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    time::sleep,
};

const TIMEOUT: Duration = Duration::from_secs(20);
const BUFFER: usize = 1024;

impl ClientSocket for DuplexStream {
    fn close_abruptly(&self) {}
}

/// Both ends of a connection, and the memory that counts it.
fn connection() -> (DuplexStream, Paced<DuplexStream>, Arc<Guest>, Arc<Memory>) {
    let memory = Arc::new(Memory::new(1 << 30));
    let settings = Settings { write_timeout: TIMEOUT, ..Settings::default() };
    let limits = Arc::new(Limits::new(settings, std::time::Instant::now()));
    let guest = Arc::new(Guests::new(memory.clone(), limits)).enter(false);
    let (client, server) = duplex(BUFFER);
    (client, Paced::new(server, guest.clone()), guest, memory)
}

/// Writes so many bytes. The time that it took, or the error that ended the connection.
async fn given_up(mut paced: Paced<DuplexStream>, bytes: usize) -> Result<Duration, io::Error> {
    let begun = Instant::now();
    match paced.write_all(&vec![7; bytes]).await.and(paced.flush().await) {
        Ok(()) => Ok(begun.elapsed()),
        Err(error) => {
            assert!(paced.guest.is_expelled());
            Err(error)
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_is_given_up_after_its_time() {
    let (_client, paced, _, memory) = connection();
    let begun = Instant::now();
    let error = given_up(paced, BUFFER + 1).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!((TIMEOUT..TIMEOUT + Duration::from_secs(1)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    assert_eq!(memory.held().guests, 0, "the count of the system's buffers outlives the socket");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_a_byte_now_and_then_is_given_up_as_well() {
    let (mut client, paced, ..) = connection();
    let writer = tokio::spawn(given_up(paced, 1 << 20));
    let begun = Instant::now();
    let trickle = tokio::spawn(async move {
        // Progress every second, and never a kilobyte of it.
        while client.read_u8().await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
    });
    assert_eq!(writer.await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(begun.elapsed() < TIMEOUT + Duration::from_secs(5), "{:?}", begun.elapsed());
    trickle.abort();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_was_quick_and_stops_has_no_longer_than_one_that_was_slow() {
    let (mut client, paced, ..) = connection();
    let writer = tokio::spawn(given_up(paced, 10 << 20));
    let mut read = vec![0; 8 << 20];
    client.read_exact(&mut read).await.unwrap();
    let begun = Instant::now();
    assert_eq!(writer.await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(begun.elapsed() <= TIMEOUT + Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_slow_and_reads_on_gets_everything_and_each_answer_has_its_own_time() {
    let (mut client, mut paced, _guest, memory) = connection();
    let idle = memory.held().guests;
    let reader = tokio::spawn(async move {
        let mut read = vec![0; BUFFER];
        let mut sum = 0;
        // Twice the least rate, for ten minutes.
        while let Ok(count @ 1..) = client.read(&mut read).await {
            sum += count;
            sleep(Duration::from_millis(500)).await;
        }
        sum
    });
    for _ in 0..6 {
        paced.write_all(&vec![7; 200 * BUFFER]).await.unwrap();
        assert!(memory.held().guests > idle);
        paced.flush().await.unwrap();
        assert_eq!(memory.held().guests, idle);
        // A quiet while between two answers is no fault of the client.
        sleep(10 * TIMEOUT).await;
    }
    drop(paced);
    assert_eq!(reader.await.unwrap(), 6 * 200 * BUFFER);
}

#[tokio::test]
async fn bytes_from_a_client_count_and_none_may_come_while_its_stream_is_open() {
    let (mut client, mut paced, guest, memory) = connection();
    let idle = memory.held().guests;
    client.write_all(&[7; 500]).await.unwrap();
    let mut read = vec![0; BUFFER];
    assert_eq!(paced.read(&mut read).await.unwrap(), 500);
    assert!(memory.held().guests >= idle + 500);
    guest.answered();
    assert_eq!(memory.held().guests, idle);
    guest.begin_stream();
    client.write_all(b"more").await.unwrap();
    assert_eq!(paced.read(&mut read).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    drop((paced, guest));
    assert_eq!(memory.held().total(), 0);
}

#[tokio::test]
async fn strangers_that_grow_past_their_share_are_ended_and_those_with_a_token_are_not() {
    let memory = Arc::new(Memory::new(1 << 20));
    let limits = Arc::new(Limits::new(Settings::default(), std::time::Instant::now()));
    let guests = Arc::new(Guests::new(memory.clone(), limits));
    let mut let_in = Vec::new();
    while guests.have_room(false) {
        let (client, server) = duplex(64 * 1024);
        let guest = guests.enter(false);
        let_in.push((client, Paced::new(server, guest.clone()), guest));
    }
    assert!((5..12).contains(&let_in.len()), "{}", let_in.len());
    let_in[0].2.vouch();
    let mut results = Vec::new();
    for (client, paced, _) in &mut let_in {
        client.write_all(&[7; 16 * 1024]).await.unwrap();
        results.push(paced.read(&mut [0; 16 * 1024]).await.is_ok());
    }
    assert!(results[0] && results.contains(&false), "{results:?} {:?}", memory.held());
}
