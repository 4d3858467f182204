use super::*;
use crate::http_connections::test_connection;
use crate::websocket::{Decoder, Incoming, encode_message};
use futures_util::task::noop_waker_ref;
use sealwire_protocol::wire::{Ping, Publication, ToClient};

fn messages(texts: &[&str]) -> Vec<Bytes> {
    texts.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect()
}

/// Reads all messages as the connection does.
fn read(socket: &StreamedSocket) -> Vec<String> {
    let mut decoder = Decoder::default();
    let _ = socket.try_read_buf(decoder.space());
    std::iter::from_fn(|| match decoder.decode() {
        Ok(Some(Incoming::Message(message))) => Some(String::from_utf8(message.to_vec()).unwrap()),
        other => {
            assert_eq!(other, Ok(None));
            None
        }
    })
    .collect()
}

fn body(pipe: &Pipe) -> Poll<Option<String>> {
    let polled = pipe.poll_events(&Context::from_waker(noop_waker_ref()));
    polled.map(|events| events.map(|events| String::from_utf8(events.to_vec()).unwrap()))
}

fn over(memory: &Arc<Memory>) -> (Arc<Pipe>, StreamedSocket) {
    let pipe = Arc::new(Pipe::new(memory.clone()));
    (pipe.clone(), StreamedSocket { pipe, http_connection: test_connection(memory) })
}

fn open() -> (Arc<Pipe>, StreamedSocket) {
    over(&Arc::default())
}

#[test]
fn messages_are_accepted_once_and_in_order_even_if_some_are_repeated() {
    let (pipe, socket) = open();
    assert_eq!(pipe.try_push(0, &messages(&["a", "b"])), PushOutcome::PublishReceipt(2));
    assert_eq!(pipe.try_push(0, &messages(&["a", "b"])), PushOutcome::PublishReceipt(2));
    assert_eq!(pipe.try_push(1, &messages(&["b", "c", "d"])), PushOutcome::PublishReceipt(4));
    assert_eq!(pipe.try_push(0, &messages(&["a"])), PushOutcome::PublishReceipt(4));
    assert_eq!(pipe.try_push(5, &messages(&["f"])), PushOutcome::Gap(4));
    assert_eq!(pipe.try_push(u64::MAX, &messages(&["z"])), PushOutcome::Gap(4));
    assert_eq!(read(&socket), ["a", "b", "c", "d"]);
    assert_eq!(pipe.try_push(4, &messages(&["e"])), PushOutcome::PublishReceipt(5));
    assert_eq!(read(&socket), ["e"]);
}

#[test]
fn a_connection_that_does_not_read_gets_no_more_messages_than_fit() {
    let (pipe, socket) = open();
    let large = [Bytes::from(vec![b'x'; MAX_FRAMES])];
    assert_eq!(pipe.try_push(0, &large), PushOutcome::PublishReceipt(1));
    assert_eq!(pipe.try_push(1, &large), PushOutcome::Full);
    // Repeated messages need no capacity.
    assert_eq!(pipe.try_push(0, &large), PushOutcome::PublishReceipt(1));
    assert_eq!(read(&socket).len(), 1);
    assert_eq!(pipe.try_push(1, &large), PushOutcome::PublishReceipt(2));
}

#[test]
fn if_the_client_does_not_read_the_pipe_accepts_only_whole_frames_up_to_its_capacity() {
    let (pipe, socket) = open();
    let publication = Publication { sealed: vec![7; 20_000].into(), ..Publication::default() };
    let frame = encode_message(&ToClient::Publication(publication)).0;
    let frames = [IoSlice::new(&frame); 4];
    let first = socket.try_write_vectored(&frames).unwrap();
    assert_eq!(first, 2 * frame.len());
    let refused = socket.try_write_vectored(&frames).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
    let context = Context::from_waker(noop_waker_ref());
    assert!(socket.poll_write_ready(&context).is_pending());
    let Poll::Ready(Some(events)) = body(&pipe) else { panic!("there are events") };
    assert_eq!(events.matches("data: ").count(), 2);
    assert!(socket.poll_write_ready(&context).is_ready());
    assert!(body(&pipe).is_pending());
}

#[test]
fn the_body_ends_after_all_written_events() {
    let (pipe, socket) = open();
    let ping = encode_message(&ToClient::Ping(Ping::default())).0;
    assert_eq!(socket.try_write_vectored(&[IoSlice::new(&ping)]).unwrap(), ping.len());
    drop(socket);
    assert_eq!(body(&pipe), Poll::Ready(Some("data: UgA=\n\n".into())));
    assert_eq!(body(&pipe), Poll::Ready(None));
    assert_eq!(pipe.try_push(0, &messages(&["a"])), PushOutcome::Closed);
}

#[test]
fn the_last_messages_of_a_client_that_left_are_read_before_the_end() {
    let (pipe, socket) = open();
    assert_eq!(pipe.try_push(0, &messages(&["a"])), PushOutcome::PublishReceipt(1));
    pipe.client_left();
    assert_eq!(read(&socket), ["a"]);
    assert_eq!(socket.try_read_buf(&mut BytesMut::new()).unwrap(), 0);
    let ping = encode_message(&ToClient::Ping(Ping::default())).0;
    let refused = socket.try_write_vectored(&[IoSlice::new(&ping)]).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(pipe.try_push(1, &messages(&["b"])), PushOutcome::Closed);
}

#[test]
fn frames_are_reserved_until_they_are_read_and_events_until_the_client_has_received_them() {
    let memory = Arc::new(Memory::default());
    let (pipe, socket) = over(&memory);
    assert_eq!(memory.usage().total(), socket.request());
    assert_eq!(pipe.try_push(0, &[vec![b'x'; 10_000].into()]), PushOutcome::PublishReceipt(1));
    let inward = socket.held();
    assert!(inward >= 10_000, "{inward}");
    let publication = Publication { sealed: vec![7; 20_000].into(), ..Publication::default() };
    let frame = encode_message(&ToClient::Publication(publication)).0;
    socket.try_write_vectored(&[IoSlice::new(&frame)]).unwrap();
    assert!(socket.held() >= inward + 20_000 * 4 / 3);
    assert_eq!(memory.usage().total(), socket.held() + socket.request());
    let Poll::Ready(Some(events)) = pipe.poll_events(&Context::from_waker(noop_waker_ref())) else {
        panic!("there are events")
    };
    assert_eq!((socket.held(), memory.usage().connections), (inward, inward));
    assert!(memory.usage().frames >= events.len());
    drop(events);
    assert_eq!(read(&socket).len(), 1);
    assert_eq!(memory.usage().total(), socket.request());
    socket.open_session();
    assert_eq!((memory.usage().unauthenticated, memory.usage().connections), (0, socket.request()));
    drop(socket);
    assert_eq!(memory.usage().total(), 0);
}

#[test]
fn an_aborted_stream_releases_its_buffers_at_once() {
    let memory = Arc::new(Memory::default());
    let (pipe, socket) = over(&memory);
    assert_eq!(pipe.try_push(0, &[vec![b'x'; 10_000].into()]), PushOutcome::PublishReceipt(1));
    let publication = Publication { sealed: vec![7; 20_000].into(), ..Publication::default() };
    let frame = encode_message(&ToClient::Publication(publication)).0;
    socket.try_write_vectored(&[IoSlice::new(&frame)]).unwrap();
    socket.abort();
    assert_eq!((socket.held(), memory.usage().total()), (0, socket.request()));
    assert_eq!(pipe.try_push(1, &messages(&["b"])), PushOutcome::Closed);
    assert_eq!(socket.try_read_buf(&mut BytesMut::new()).unwrap(), 0);
}
