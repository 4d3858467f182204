//! Thousands of the package's client cores on real WebSockets, driven on one thread as a page drives one: with the core's
//! own backoff, deadlines and checks of continuity.

mod grants;
mod pace;
mod page;
mod record;
mod socket;

pub(crate) use pace::Pace;
pub(crate) use record::Record;

use anyhow::{Result, ensure};
use grants::Grants;
use mio::{Events, Poll, Token};
use page::Page;
use sealwire_client::{Instant, Now};
use sealwire_protocol::UnixMillis;
use std::{
    io::ErrorKind,
    net::SocketAddr,
    time::{Duration, Instant as StdInstant, SystemTime},
};

const READ_BUFFER_BYTES: usize = 256 * 1024;
/// The maximum time of a turn, after which new deadlines of the cores are read.
const MAX_TURN: Duration = Duration::from_millis(10);
/// The number of pages whose subscriptions are awaited at the same time while they open.
const MAX_OPENING: usize = 200;

/// The pages, and the poll that drives them.
pub(crate) struct Pages {
    poll: Poll,
    events: Events,
    pages: Vec<Page>,
    /// The time at which each core wants to be called, in milliseconds since `start`.
    due: Vec<Option<Instant>>,
    start: StdInstant,
    grants: Grants,
    buffer: Vec<u8>,
    pub(crate) record: Record,
}

impl Pages {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            pages: Vec::new(),
            due: Vec::new(),
            start: StdInstant::now(),
            grants: Grants::new()?,
            buffer: vec![0; READ_BUFFER_BYTES],
            record: Record::default(),
        })
    }

    /// Opens a page that connects to `address` and subscribes to channels. Returns its index.
    pub(crate) fn open(&mut self, address: SocketAddr, channels: &[u32]) -> Result<usize> {
        let (index, now) = (self.pages.len(), self.now());
        self.record.add_page();
        let page = Page::open(index, address, channels, now, &mut self.record);
        self.pages.push(page);
        self.due.push(None);
        self.drain(index)?;
        Ok(index)
    }

    /// Opens pages, a bounded number at a time, until `timeout` is over or all are subscribed.
    pub(crate) fn open_all(
        &mut self,
        wanted: impl IntoIterator<Item = (SocketAddr, Vec<u32>)>,
        timeout: Duration,
    ) -> Result<()> {
        let deadline = StdInstant::now() + timeout;
        for (address, channels) in wanted {
            self.open(address, &channels)?;
            self.await_subscribed(MAX_OPENING, deadline)?;
        }
        self.await_subscribed(0, deadline)
    }

    fn await_subscribed(&mut self, waiting: usize, deadline: StdInstant) -> Result<()> {
        while self.record.unconfirmed() > waiting {
            ensure!(
                StdInstant::now() < deadline,
                "{} of {} subscriptions were not confirmed in time",
                self.record.unconfirmed(),
                self.record.subscriptions()
            );
            self.turn(MAX_TURN)?;
        }
        Ok(())
    }

    /// Publishes the next message of a channel from a page.
    pub(crate) fn publish(&mut self, page: usize, channel: u32) -> Result<()> {
        let (now, number) = (self.now(), self.record.publish(channel));
        self.pages[page].publish(channel, number, now);
        self.drain(page)
    }

    /// Waits for at most `timeout` and handles everything that happened.
    pub(crate) fn turn(&mut self, timeout: Duration) -> Result<()> {
        match self.poll.poll(&mut self.events, Some(timeout.min(MAX_TURN))) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            let Token(index) = event.token();
            let now = self.now();
            self.pages[index].ready(now, &mut self.buffer, &mut self.record);
            self.drain(index)?;
        }
        self.events = events;
        let now = self.now();
        for index in 0..self.pages.len() {
            if self.due[index].is_some_and(|due| due <= now.instant) {
                self.pages[index].handle_timeout(now);
                self.drain(index)?;
            }
        }
        Ok(())
    }

    /// Takes turns for `duration`, and publishes at the pace meanwhile, until `is_done`. Returns whether it was.
    pub(crate) fn run(
        &mut self,
        duration: Duration,
        pace: &mut Pace,
        is_done: impl Fn(&Record) -> bool,
    ) -> Result<bool> {
        let deadline = StdInstant::now() + duration;
        while StdInstant::now() < deadline {
            if is_done(&self.record) {
                return Ok(true);
            }
            while let Some((page, channel)) = pace.next() {
                self.publish(page, channel)?;
            }
            self.turn(pace.wait())?;
        }
        Ok(is_done(&self.record))
    }

    fn drain(&mut self, index: usize) -> Result<()> {
        let now = self.now();
        let Self { pages, grants, record, poll, .. } = self;
        pages[index].drain(now, grants, poll.registry(), record)?;
        self.due[index] = pages[index].poll_timeout();
        Ok(())
    }

    fn now(&self) -> Now {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Now { instant: Instant(millis(self.start.elapsed())), unix: UnixMillis(millis(since)) }
    }
}
