use super::*;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{PrivateKeyDer, ServerName},
    version::{TLS12, TLS13},
};
use std::io::{Read as _, Write as _};

/// Both ends of a connection, without a socket.
struct Pair {
    client: ClientConnection,
    session: TlsSession,
    /// The largest number of bytes that arrive at the session at once.
    piece: usize,
}

impl Pair {
    fn new(version: &'static SupportedProtocolVersion) -> Self {
        let certified = rcgen::generate_simple_self_signed(vec!["relay".to_owned()]).unwrap();
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(certified.cert.der().clone()).unwrap();
        let client = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
        let server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
        let name = ServerName::try_from("relay").unwrap();
        Self {
            client: ClientConnection::new(Arc::new(client), name).unwrap(),
            session: TlsSession::new(Arc::new(server)).unwrap(),
            piece: usize::MAX,
        }
    }

    /// Completes the handshake, and transfers the tickets.
    fn established(version: &'static SupportedProtocolVersion) -> Self {
        let mut pair = Self::new(version);
        pair.exchange();
        assert!(!pair.client.is_handshaking() && !pair.session.is_handshaking());
        pair
    }

    /// Passes what the client has encrypted to the session.
    fn pass_to_session(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        while self.client.wants_write() {
            self.client.write_tls(&mut bytes).unwrap();
        }
        receive_all(&mut self.session, &bytes, self.piece)
    }

    /// Passes what the session has encrypted to the client.
    fn pass_to_client(&mut self) {
        let client = &mut self.client;
        let sent = self.session.send(|mut bytes| {
            let count = client.read_tls(&mut bytes).unwrap();
            client.process_new_packets().unwrap();
            Ok(count)
        });
        sent.unwrap();
    }

    fn exchange(&mut self) {
        while self.client.wants_write() || !self.session.encrypted.is_empty() {
            self.pass_to_session().unwrap();
            self.pass_to_client();
        }
    }

    fn plaintext(&mut self) -> Vec<u8> {
        let mut taken = Vec::new();
        self.session.take_plaintext(usize::MAX, |bytes| taken.extend_from_slice(bytes));
        taken
    }

    fn assert_holds_no_buffer(&self) {
        let TlsSession { incomplete, plaintext, encrypted, .. } = &self.session;
        assert_eq!((incomplete.capacity(), plaintext.capacity(), encrypted.capacity()), (0, 0, 0));
    }
}

fn receive_all(session: &mut TlsSession, mut bytes: &[u8], piece: usize) -> io::Result<()> {
    while !bytes.is_empty() {
        session.receive(|space| bytes.read(&mut space[..piece.min(READ_BYTES)]))?;
    }
    Ok(())
}

#[test]
fn an_idle_session_holds_no_buffers() {
    for version in [&TLS12, &TLS13] {
        let mut pair = Pair::established(version);
        pair.assert_holds_no_buffer();
        let payload = vec![7; 40_000];
        for part in payload.chunks(10_000) {
            pair.client.writer().write_all(part).unwrap();
            pair.pass_to_session().unwrap();
        }
        assert_eq!(pair.plaintext(), payload);
        pair.assert_holds_no_buffer();

        let frames = [IoSlice::new(b"one"), IoSlice::new(b"two")];
        assert_eq!(pair.session.encrypt(&frames).unwrap(), 6);
        pair.pass_to_client();
        pair.assert_holds_no_buffer();
        let mut read = [0; 6];
        pair.client.reader().read_exact(&mut read).unwrap();
        assert_eq!(&read, b"onetwo");
        let nothing = pair.session.receive(|_| Err(io::ErrorKind::WouldBlock.into())).unwrap_err();
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
        pair.assert_holds_no_buffer();
    }
}

#[test]
fn records_may_arrive_in_pieces_of_any_size() {
    for version in [&TLS12, &TLS13] {
        for piece in [1, 7, 4096] {
            let mut pair = Pair { piece, ..Pair::new(version) };
            pair.exchange();
            pair.client.writer().write_all(&[1; 300]).unwrap();
            pair.client.writer().write_all(&[2; 300]).unwrap();
            pair.pass_to_session().unwrap();
            assert_eq!(pair.plaintext(), [[1; 300], [2; 300]].concat());
        }
    }
}

#[test]
fn plaintext_is_taken_as_far_as_the_reader_has_room() {
    let mut pair = Pair::established(&TLS13);
    pair.client.writer().write_all(b"abcdef").unwrap();
    pair.pass_to_session().unwrap();
    let mut taken = Vec::new();
    assert_eq!(pair.session.take_plaintext(4, |bytes| taken.extend_from_slice(bytes)), 4);
    assert!(pair.session.has_plaintext());
    assert_eq!(pair.session.take_plaintext(4, |bytes| taken.extend_from_slice(bytes)), 2);
    assert_eq!(taken, b"abcdef");
    pair.assert_holds_no_buffer();
}

#[test]
fn at_most_one_record_is_encrypted_at_once() {
    let mut pair = Pair::established(&TLS13);
    let long = vec![1; WRITE_AHEAD + 1];
    assert_eq!(pair.session.encrypt(&[IoSlice::new(&long)]).unwrap(), WRITE_AHEAD);
    pair.pass_to_client();
    let halves = [IoSlice::new(&long[..10_000]), IoSlice::new(&long[..10_000])];
    assert_eq!(pair.session.encrypt(&halves).unwrap(), WRITE_AHEAD);
    assert!(pair.session.encrypted.len() < WRITE_AHEAD + RECORD_OVERHEAD);
}

#[test]
fn a_partial_write_continues_with_the_rest() {
    let mut pair = Pair::established(&TLS13);
    pair.session.encrypt(&[IoSlice::new(b"frame")]).unwrap();
    let expected = pair.session.encrypted.to_vec();
    let mut sent = Vec::new();
    let mut accepts = true;
    while !pair.session.encrypted.is_empty() {
        let result = pair.session.send(|bytes| {
            accepts = !accepts;
            if accepts {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            sent.push(bytes[0]);
            Ok(1)
        });
        assert!(result.is_ok() || result.unwrap_err().kind() == io::ErrorKind::WouldBlock);
    }
    assert_eq!(sent, expected);
    pair.assert_holds_no_buffer();
}

#[test]
fn a_key_update_of_the_client_is_answered_with_the_next_frame() {
    let mut pair = Pair::established(&TLS13);
    for number in 0..3_u8 {
        pair.client.refresh_traffic_keys().unwrap();
        pair.client.writer().write_all(&[number]).unwrap();
        pair.pass_to_session().unwrap();
        assert_eq!(pair.plaintext(), [number]);
        pair.session.encrypt(&[IoSlice::new(&[number])]).unwrap();
        pair.pass_to_client();
        let mut read = [0];
        pair.client.reader().read_exact(&mut read).unwrap();
        assert_eq!(read, [number]);
    }
}

#[test]
fn a_session_that_is_closed_by_the_client_still_sends() {
    let mut pair = Pair::established(&TLS13);
    pair.client.writer().write_all(b"last").unwrap();
    pair.client.send_close_notify();
    pair.pass_to_session().unwrap();
    assert_eq!(pair.plaintext(), b"last");
    assert!(pair.session.is_ended());
    pair.session.encrypt(&[IoSlice::new(b"bye")]).unwrap();
    pair.session.close();
    pair.session.close();
    pair.pass_to_client();
    let mut read = Vec::new();
    // Without close_notify, the client would report the end of the stream as an error.
    pair.client.reader().read_to_end(&mut read).unwrap();
    assert_eq!(read, b"bye");
}

#[test]
fn a_forged_record_ends_the_session_with_an_alert() {
    let mut pair = Pair::established(&TLS13);
    let forged = [&[23, 3, 3, 0, 40][..], &[9; 40]].concat();
    let error = receive_all(&mut pair.session, &forged, usize::MAX).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    let mut alert = Vec::new();
    pair.session.send(|bytes| alert.write(bytes)).unwrap();
    let error = pair.client.read_tls(&mut &alert[..]).map(|_| pair.client.process_new_packets()).unwrap();
    assert_eq!(error.unwrap_err(), Error::AlertReceived(rustls::AlertDescription::BadRecordMac));
}

#[test]
fn bytes_that_are_not_tls_end_the_handshake() {
    for bytes in [&b"GET / HTTP/1.1\r\nHost: relay\r\n\r\n"[..], &[22, 3, 1, 0xff, 0xff], &[0xff; 3000]] {
        let mut pair = Pair::new(&TLS13);
        let error = receive_all(&mut pair.session, bytes, usize::MAX).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{bytes:?}");
        assert!(pair.session.encrypt(&[IoSlice::new(b"secret")]).is_err());
        assert!(!pair.session.encrypted.windows(6).any(|window| window == b"secret"));
    }
}

#[test]
fn an_endless_handshake_message_is_refused() {
    let mut pair = Pair::new(&TLS13);
    // A ClientHello of the maximum length, in records.
    let record = |body: &[u8]| {
        let len = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&[22, 3, 1][..], &len, body].concat()
    };
    let mut sent = 0;
    let mut body = [&[1, 0, 0xff, 0xff, 3, 3][..], &[0; 4000]].concat();
    while receive_all(&mut pair.session, &record(&body), usize::MAX).is_ok() {
        sent += body.len();
        assert!(sent < 2 * MAX_INCOMPLETE, "{sent} bytes were accepted");
        body = vec![0; 4000];
    }
    assert!(sent > MAX_INCOMPLETE / 2, "refused for another reason after {sent} bytes");
}
