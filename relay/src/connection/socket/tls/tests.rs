use super::*;
use crate::{
    clock::Now,
    connection::{Outbound, outbound::Condition, queue::Queue, socket::Socket},
    limits::Limits,
    memory::Memory,
    settings::Settings,
    tls::Tls,
};
use aes_gcm::{
    Aes256Gcm, KeyInit as _,
    aead::{Aead as _, Payload},
};
use rustls::{ClientConfig, ConnectionTrafficSecrets, RootCertStore, crypto::ring, pki_types::ServerName};
use std::{fs, future::poll_fn, net::Ipv4Addr, sync::Arc, time::Instant};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Returns both ends of a connection after its handshake.
async fn connection() -> (TlsStream<TcpStream>, TlsSocket) {
    let certified = rcgen::generate_simple_self_signed(vec!["relay".to_owned()]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (chain, key) = (directory.path().join("chain.pem"), directory.path().join("key.pem"));
    fs::write(&chain, certified.cert.pem()).unwrap();
    fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
    let Ok(tls) = Tls::load(&chain, &key, Now::read().wall.seconds()) else { panic!() };
    let mut roots = RootCertStore::empty();
    roots.add(certified.cert.der().clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    // A test writes its own records with the secrets.
    config.enable_secret_extraction = true;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let client = connector.connect(ServerName::try_from("relay").unwrap(), stream);
    let server = async {
        let (stream, _) = listener.accept().await.unwrap();
        crate::tls::TlsStream::accept(tls.config(), stream).await.unwrap().into_inner()
    };
    let (client, (stream, session)) = tokio::join!(client, server);
    (client.unwrap(), TlsSocket::new(stream, session))
}

#[tokio::test]
async fn bytes_that_cannot_be_decrypted_yet_are_counted() {
    let (client, socket) = connection().await;
    let (client, _) = client.into_inner();
    let receive = async || {
        poll_fn(|context| socket.poll_read_ready(context)).await.unwrap();
        socket.try_read_buf(&mut BytesMut::with_capacity(4096))
    };
    // The client has sent nothing so far.
    assert_eq!(receive().await.unwrap_err().kind(), io::ErrorKind::WouldBlock);
    // The start of a record of the maximum length.
    let begin = [&[23, 3, 3, 0x40, 0x00][..], &[0; 10_000]].concat();
    assert_eq!(client.try_write(&begin).unwrap(), begin.len());
    while socket.undecrypted() < begin.len() {
        assert_eq!(receive().await.unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
    assert_eq!(socket.undecrypted(), begin.len());
}

#[tokio::test]
async fn a_client_that_sends_tls_records_without_data_is_disconnected() {
    let (mut client, socket) = connection().await;
    let mut sent = 0;
    // Each record of about 30 bytes is a key update.
    loop {
        client.get_mut().1.refresh_traffic_keys().unwrap();
        client.flush().await.unwrap();
        sent += 1;
        poll_fn(|context| socket.poll_read_ready(context)).await.unwrap();
        let read = socket.try_read_buf(&mut BytesMut::with_capacity(4096)).unwrap_err();
        if read.kind() == io::ErrorKind::InvalidData {
            break;
        }
        assert!(read.kind() == io::ErrorKind::WouldBlock && sent < 10_000, "{read} {sent}");
    }
    // With data in between, the connection stays open.
    let (mut client, socket) = connection().await;
    for _ in 0..2 * sent {
        client.get_mut().1.refresh_traffic_keys().unwrap();
        client.write_all(b"x").await.unwrap();
        client.flush().await.unwrap();
        let mut buffer = BytesMut::with_capacity(4096);
        while buffer.is_empty() {
            poll_fn(|context| socket.poll_read_ready(context)).await.unwrap();
            match socket.try_read_buf(&mut buffer) {
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
                Ok(count) => assert_eq!(count, 1),
            }
        }
    }
}

#[tokio::test]
async fn an_endless_tls_message_is_refused() {
    let (client, socket) = connection().await;
    let (client, session) = client.into_inner();
    let (mut number, ConnectionTrafficSecrets::Aes256Gcm { key, iv }) =
        session.dangerous_extract_secrets().unwrap().tx
    else {
        panic!("another cipher suite")
    };
    let cipher = Aes256Gcm::new_from_slice(key.as_ref()).unwrap();
    // The parts of a handshake message of 64 KiB, each in its own record.
    let mut part = [&[4, 0, 0xff, 0xff][..], &[0; 4000]].concat();
    let mut sent = 0;
    loop {
        let mut nonce: [u8; 12] = iv.as_ref().try_into().unwrap();
        nonce[4..].iter_mut().zip(number.to_be_bytes()).for_each(|(byte, number)| *byte ^= number);
        let plain = [&part[..], &[22]].concat();
        let header = [&[23, 3, 3][..], &u16::try_from(plain.len() + 16).unwrap().to_be_bytes()].concat();
        let payload = Payload { msg: &plain, aad: &header };
        let record = [&header[..], &cipher.encrypt(&nonce.into(), payload).unwrap()].concat();
        sent += record.len();
        while client.try_write(&record).is_err() {
            client.writable().await.unwrap();
        }
        (part, number) = (vec![0; 4000], number + 1);
        let is_ended = loop {
            poll_fn(|context| socket.poll_read_ready(context)).await.unwrap();
            let error = socket.try_read_buf(&mut BytesMut::with_capacity(4096)).unwrap_err();
            if error.kind() == io::ErrorKind::InvalidData {
                break true;
            }
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
            if socket.undecrypted() >= sent {
                break false;
            }
        };
        if is_ended {
            break;
        }
        assert!(sent < 2 * MAX_UNDECRYPTED, "{sent} bytes were accepted");
    }
    assert!(sent > MAX_UNDECRYPTED, "disconnected for another reason after {sent} bytes");
}

#[tokio::test]
async fn an_empty_queue_stays_blocked_while_encrypted_bytes_wait() {
    const FRAME: usize = 10_000;
    let (mut client, socket) = connection().await;
    let limits = Arc::new(Limits::new(Settings::default(), Instant::now()));
    let Ok(admission) = limits.admit_connection(None) else { panic!() };
    let memory = Arc::new(Memory::new(1 << 30));
    let socket = Socket::Tls(Box::new(socket));
    let permits = (Arc::new(admission), None);
    let outbound =
        Outbound::new(socket, Queue::new(1 << 20, false), Ipv4Addr::LOCALHOST.into(), permits, memory);
    let mut frames = 0;
    // Each frame is encrypted at once, so that the one that fills the socket leaves the queue empty.
    loop {
        outbound.push_answer(0, vec![7; FRAME].into());
        outbound.flush();
        frames += 1;
        let backlog = outbound.backlog();
        assert_eq!(backlog.bytes, 0);
        if backlog.condition == Condition::Blocked {
            break;
        }
    }
    let mut read = vec![0; frames * FRAME];
    let drain = async {
        while outbound.backlog().condition == Condition::Blocked {
            poll_fn(|context| outbound.socket().poll_write_ready(context)).await.unwrap();
            outbound.resume_writing();
        }
    };
    let (read_all, ()) = tokio::join!(client.read_exact(&mut read), drain);
    assert_eq!(read_all.unwrap(), frames * FRAME);
    assert!(read.iter().all(|byte| *byte == 7));
}
