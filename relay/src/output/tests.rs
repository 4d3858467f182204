use super::*;
use std::sync::{
    Mutex,
    mpsc::{self, Receiver, Sender},
};

/// Longer than any wait that ends.
const LONG: Duration = Duration::from_secs(30);

/// A reader whose every read the test decides about.
struct Sink {
    answers: Receiver<io::Result<usize>>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Once the test has no more answers, everything is written.
        let count = self.answers.recv().unwrap_or(Ok(bytes.len()))?.min(bytes.len());
        self.written.lock().unwrap().extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Fixture {
    output: Output,
    answers: Sender<io::Result<usize>>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Fixture {
    fn new() -> Self {
        let (answers, received) = mpsc::channel();
        let written = Arc::<Mutex<Vec<u8>>>::default();
        let sink = Sink { answers: received, written: written.clone() };
        Self { output: Output::start("test", sink).unwrap(), answers, written }
    }

    /// Answers each of the next writes, and every one after them with success.
    fn finish(self, answers: impl IntoIterator<Item = io::Result<usize>>) -> (Output, String) {
        answers.into_iter().for_each(|answer| self.answers.send(answer).unwrap());
        drop(self.answers);
        assert!(self.output.flush(LONG));
        (self.output, String::from_utf8(self.written.lock().unwrap().clone()).unwrap())
    }
}

fn error(kind: io::ErrorKind) -> io::Result<usize> {
    Err(kind.into())
}

#[test]
fn lines_come_out_whole_and_in_order_however_the_writes_go() {
    let fixture = Fixture::new();
    for number in 0..100 {
        fixture.output.write(format!("line {number}\n").as_bytes());
    }
    let answers =
        [Ok(3), error(io::ErrorKind::Interrupted), Ok(1), error(io::ErrorKind::WouldBlock), Ok(1000)];
    let (output, written) = fixture.finish(answers);
    assert_eq!(written, (0..100).map(|number| format!("line {number}\n")).collect::<String>());
    assert_eq!(output.dropped(), 0);
}

#[test]
fn a_stalled_reader_holds_nobody_up_and_costs_the_lines_that_have_no_room() {
    let fixture = Fixture::new();
    let line = format!("{}\n", "x".repeat(1023));
    let lines = 3 * MAX_BYTES / line.len();
    (0..lines).for_each(|_| fixture.output.write(line.as_bytes()));
    assert!(!fixture.output.flush(Duration::from_millis(1)));
    let dropped = fixture.output.dropped();
    assert_eq!(dropped as usize, lines - MAX_BYTES / line.len());
    assert_eq!(fixture.output.take_report(), 0, "nobody would read it");
    let (output, written) = fixture.finish([]);
    assert_eq!(written.len(), MAX_BYTES);
    assert_eq!((output.take_report(), output.take_report()), (dropped, 0));
    output.write(b"and on\n");
    assert!(output.flush(LONG));
}

#[test]
fn failed_writes_cost_their_lines_and_leave_the_next_one_whole() {
    let fixture = Fixture::new();
    fixture.output.write(b"one\n");
    // The disk has room for a part of the line, and then for nothing.
    fixture.answers.send(Ok(2)).unwrap();
    fixture.answers.send(error(io::ErrorKind::StorageFull)).unwrap();
    assert!(fixture.output.flush(LONG));
    assert_eq!((fixture.output.dropped(), fixture.output.take_report()), (1, 0));
    fixture.output.write(b"two\n");
    fixture.answers.send(error(io::ErrorKind::StorageFull)).unwrap();
    assert!(fixture.output.flush(LONG));
    assert_eq!(fixture.output.dropped(), 2);
    fixture.output.write(b"three\n");
    let (output, written) = fixture.finish([]);
    assert_eq!(written, "on\nthree\n");
    assert_eq!(output.take_report(), 2);
}
