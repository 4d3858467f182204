use super::*;
use crate::{
    clock::Now,
    connection::{Outbound, outbound::Condition, queue::Queue, socket::Socket},
    limits::{LimitSettings, Limits},
    memory::Memory,
    tls::Tls,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use std::{fs, future::poll_fn, net::Ipv4Addr, sync::Arc, time::Instant};
use tokio::{io::AsyncReadExt as _, net::TcpListener};
use tokio_rustls::{TlsAcceptor, TlsConnector, client::TlsStream};

/// Both ends of a connection after its handshake.
async fn connection() -> (TlsStream<TcpStream>, TlsSocket) {
    let certified = rcgen::generate_simple_self_signed(vec!["relay".to_owned()]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (chain, key) = (directory.path().join("chain.pem"), directory.path().join("key.pem"));
    fs::write(&chain, certified.cert.pem()).unwrap();
    fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
    let Ok(tls) = Tls::load(&chain, &key, Now::read().wall.seconds()) else { panic!() };
    let mut roots = RootCertStore::empty();
    roots.add(certified.cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let client = connector.connect(ServerName::try_from("relay").unwrap(), stream);
    let server = async {
        let (stream, _) = listener.accept().await.unwrap();
        TlsAcceptor::from(tls.config()).accept(stream).await.unwrap().into_inner()
    };
    let (client, (stream, session)) = tokio::join!(client, server);
    (client.unwrap(), TlsSocket::new(stream, session))
}

#[tokio::test]
async fn an_empty_queue_is_blocked_for_as_long_as_encrypted_bytes_wait() {
    const FRAME: usize = 10_000;
    let (mut client, socket) = connection().await;
    let limits = Arc::new(Limits::new(LimitSettings::default(), Instant::now()));
    let Ok(admission) = limits.admit_connection(None) else { panic!() };
    let memory = Arc::new(Memory::new(1 << 30));
    let socket = Socket::Tls(Box::new(socket));
    let places = (Arc::new(admission), None);
    let outbound =
        Outbound::new(socket, Queue::new(1 << 20, false), Ipv4Addr::LOCALHOST.into(), places, memory);
    let mut frames = 0;
    // Each is small enough to be encrypted at once, so that the one that the socket has no room for leaves nothing queued.
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
            outbound.unblock();
        }
    };
    let (read_all, ()) = tokio::join!(client.read_exact(&mut read), drain);
    assert_eq!(read_all.unwrap(), frames * FRAME);
    assert!(read.iter().all(|byte| *byte == 7));
}
