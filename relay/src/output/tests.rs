use super::*;
use std::sync::{
    Mutex,
    mpsc::{self, Receiver, Sender},
};

/// A timeout that no successful wait reaches.
const LONG: Duration = Duration::from_secs(30);

/// A writer whose results the test chooses.
struct Sink {
    results: Receiver<io::Result<usize>>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // After the test's last result, every write succeeds.
        let count = self.results.recv().unwrap_or(Ok(bytes.len()))?.min(bytes.len());
        self.written.lock().unwrap().extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Fixture {
    output: Output,
    results: Sender<io::Result<usize>>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Fixture {
    fn new() -> Self {
        let (results, received) = mpsc::channel();
        let written = Arc::<Mutex<Vec<u8>>>::default();
        let sink = Sink { results: received, written: written.clone() };
        Self { output: Output::start("test", sink).unwrap(), results, written }
    }

    /// Gives the next writes these results and every later one success. Returns the output and all that was written.
    fn finish(self, results: impl IntoIterator<Item = io::Result<usize>>) -> (Output, String) {
        results.into_iter().for_each(|result| self.results.send(result).unwrap());
        drop(self.results);
        assert!(self.output.flush(LONG));
        (self.output, String::from_utf8(self.written.lock().unwrap().clone()).unwrap())
    }
}

fn error(kind: io::ErrorKind) -> io::Result<usize> {
    Err(kind.into())
}

#[test]
fn lines_are_written_whole_and_in_order_despite_partial_and_interrupted_writes() {
    let fixture = Fixture::new();
    for number in 0..100 {
        fixture.output.write(format!("line {number}\n").as_bytes());
    }
    let results =
        [Ok(3), error(io::ErrorKind::Interrupted), Ok(1), error(io::ErrorKind::WouldBlock), Ok(1000)];
    let (output, written) = fixture.finish(results);
    assert_eq!(written, (0..100).map(|number| format!("line {number}\n")).collect::<String>());
    assert_eq!(output.dropped(), 0);
}

#[test]
fn a_stalled_reader_blocks_nobody_and_loses_the_lines_beyond_the_limit() {
    let fixture = Fixture::new();
    let line = format!("{}\n", "x".repeat(1023));
    let lines = 3 * MAX_BYTES / line.len();
    (0..lines).for_each(|_| fixture.output.write(line.as_bytes()));
    assert!(!fixture.output.flush(Duration::from_millis(1)));
    let dropped = fixture.output.dropped();
    assert_eq!(dropped as usize, lines - MAX_BYTES / line.len());
    assert_eq!(fixture.output.take_unreported(), 0, "nobody would read it");
    let (output, written) = fixture.finish([]);
    assert_eq!(written.len(), MAX_BYTES);
    assert_eq!((output.take_unreported(), output.take_unreported()), (dropped, 0));
    output.write(b"and on\n");
    assert!(output.flush(LONG));
}

#[test]
fn failed_writes_lose_their_lines_and_leave_the_next_line_whole() {
    let fixture = Fixture::new();
    fixture.output.write(b"one\n");
    // The disk has space for a part of the line only.
    fixture.results.send(Ok(2)).unwrap();
    fixture.results.send(error(io::ErrorKind::StorageFull)).unwrap();
    assert!(fixture.output.flush(LONG));
    assert_eq!((fixture.output.dropped(), fixture.output.take_unreported()), (1, 0));
    fixture.output.write(b"two\n");
    fixture.results.send(error(io::ErrorKind::StorageFull)).unwrap();
    assert!(fixture.output.flush(LONG));
    assert_eq!(fixture.output.dropped(), 2);
    fixture.output.write(b"three\n");
    let (output, written) = fixture.finish([]);
    assert_eq!(written, "on\nthree\n");
    assert_eq!(output.take_unreported(), 2);
}
