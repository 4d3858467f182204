//! The message between relays about the use of shared limits, as protobuf. It contains digests and numbers, no names.

use crate::{id_digest::IdDigest, limits::Usage};
use prost::Message;

/// The version of the format. Relays ignore reports of other versions.
const VERSION: u32 = 1;
/// The maximum size of a report, in bytes.
const MAX_BYTES: usize = 512 * 1024;
/// The maximum number of session counts in a report.
pub(super) const MAX_COUNTS: usize = 4096;
/// The maximum number of installations in a batch, and of apps.
pub(super) const MAX_USAGES: usize = 1024;
/// The number of batches in a report: the use since the last report, and that of the reports before it in case one was
/// lost.
pub(super) const BATCHES: usize = 4;
/// The maximum number of requests for full reports in a report.
pub(super) const MAX_ASKS: usize = 64;

/// A report of one relay.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Report {
    /// The number of the report, from 1.
    pub(super) sequence: u64,
    /// True if the counts replace everything that the relay reported before.
    pub(super) is_full: bool,
    /// The relays whose full report the sender needs.
    pub(super) asks: Vec<u64>,
    pub(super) batches: Vec<Batch>,
    /// The sessions by app, installation and account.
    pub(super) counts: Vec<(IdDigest, u32)>,
}

/// The publications between two reports.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Batch {
    /// The sequence of the first report with this batch.
    pub(super) number: u64,
    pub(super) installations: Vec<(IdDigest, Usage)>,
    pub(super) apps: Vec<(IdDigest, Usage)>,
}

/// The reason to ignore a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReportError {
    #[error("its format has version {0}; run the same version on all relays of a cluster")]
    Version(u32),
    #[error("it is not a valid report")]
    Malformed,
}

#[derive(Clone, PartialEq, Message)]
struct WireReport {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(uint64, tag = "2")]
    sequence: u64,
    #[prost(bool, tag = "3")]
    is_full: bool,
    #[prost(fixed64, repeated, tag = "4")]
    asks: Vec<u64>,
    #[prost(message, repeated, tag = "5")]
    batches: Vec<WireBatch>,
    #[prost(message, repeated, tag = "6")]
    counts: Vec<WireCount>,
}

#[derive(Clone, PartialEq, Message)]
struct WireBatch {
    #[prost(uint64, tag = "1")]
    number: u64,
    #[prost(message, repeated, tag = "2")]
    installations: Vec<WireUsage>,
    #[prost(message, repeated, tag = "3")]
    apps: Vec<WireUsage>,
}

#[derive(Clone, PartialEq, Message)]
struct WireUsage {
    #[prost(bytes = "vec", tag = "1")]
    digest: Vec<u8>,
    #[prost(uint64, tag = "2")]
    messages: u64,
    #[prost(uint64, tag = "3")]
    bytes: u64,
}

#[derive(Clone, PartialEq, Message)]
struct WireCount {
    #[prost(bytes = "vec", tag = "1")]
    digest: Vec<u8>,
    #[prost(uint32, tag = "2")]
    sessions: u32,
}

impl Report {
    pub(super) fn encode(&self) -> Vec<u8> {
        let batches = self.batches.iter().map(|batch| WireBatch {
            number: batch.number,
            installations: batch.installations.iter().map(wire_usage).collect(),
            apps: batch.apps.iter().map(wire_usage).collect(),
        });
        let counts = self.counts.iter();
        let counts = counts
            .map(|(name, sessions)| WireCount { digest: name.as_bytes().to_vec(), sessions: *sessions });
        let report = WireReport {
            version: VERSION,
            sequence: self.sequence,
            is_full: self.is_full,
            asks: self.asks.clone(),
            batches: batches.collect(),
            counts: counts.collect(),
        };
        report.encode_to_vec()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, ReportError> {
        let malformed = ReportError::Malformed;
        if bytes.len() > MAX_BYTES {
            return Err(malformed);
        }
        let report = WireReport::decode(bytes).map_err(|_| malformed)?;
        if report.version != VERSION {
            return Err(ReportError::Version(report.version));
        }
        let fits = report.asks.len() <= MAX_ASKS
            && report.batches.len() <= BATCHES
            && report.counts.len() <= MAX_COUNTS
            && report.sequence > 0;
        if !fits {
            return Err(malformed);
        }
        let batches = report.batches.into_iter().map(batch).collect::<Option<_>>();
        let counts = report.counts.iter();
        let counts = counts
            .map(|count| Some((IdDigest::from_slice(&count.digest)?, count.sessions)))
            .collect::<Option<_>>();
        Ok(Self {
            sequence: report.sequence,
            is_full: report.is_full,
            asks: report.asks,
            batches: batches.ok_or(malformed)?,
            counts: counts.ok_or(malformed)?,
        })
    }
}

fn wire_usage((name, usage): &(IdDigest, Usage)) -> WireUsage {
    WireUsage { digest: name.as_bytes().to_vec(), messages: usage.messages, bytes: usage.bytes }
}

fn batch(batch: WireBatch) -> Option<Batch> {
    let usages = |usages: Vec<WireUsage>| -> Option<Vec<_>> {
        let usage = |wire: &WireUsage| Usage { messages: wire.messages, bytes: wire.bytes };
        let read = usages.iter().map(|wire| Some((IdDigest::from_slice(&wire.digest)?, usage(wire))));
        if usages.len() > MAX_USAGES { None } else { read.collect() }
    };
    Some(Batch {
        number: batch.number,
        installations: usages(batch.installations)?,
        apps: usages(batch.apps)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn report() -> Report {
        let usage = |number: u64| (IdDigest::app(&number.to_string()), Usage { messages: number, bytes: 9 });
        let batch = Batch { number: 7, installations: vec![usage(1), usage(2)], apps: vec![usage(3)] };
        Report {
            sequence: 7,
            is_full: true,
            asks: vec![1, u64::MAX],
            batches: vec![batch],
            counts: vec![(IdDigest::app("a"), 5)],
        }
    }

    #[test]
    fn a_report_is_decoded_as_it_was_encoded() {
        assert_eq!(Report::decode(&report().encode()), Ok(report()));
    }

    #[test]
    fn a_report_outside_the_limits_is_ignored_as_a_whole() {
        let refused = |change: fn(&mut Report)| {
            let mut changed = report();
            change(&mut changed);
            Report::decode(&changed.encode())
        };
        for change in [
            (|report: &mut Report| report.sequence = 0) as fn(&mut Report),
            |report| report.asks = vec![0; MAX_ASKS + 1],
            |report| report.batches = vec![Batch::default(); BATCHES + 1],
            |report| report.counts = vec![report.counts[0]; MAX_COUNTS + 1],
            |report| report.batches[0].apps = vec![report.batches[0].apps[0]; MAX_USAGES + 1],
        ] {
            assert_eq!(refused(change), Err(ReportError::Malformed));
        }
        let mut other = WireReport::decode(&*report().encode()).unwrap();
        other.counts[0].digest.pop();
        assert_eq!(Report::decode(&other.encode_to_vec()), Err(ReportError::Malformed));
        other.version = 2;
        assert_eq!(Report::decode(&other.encode_to_vec()), Err(ReportError::Version(2)));
        assert_eq!(Report::decode(&vec![0; MAX_BYTES + 1]), Err(ReportError::Malformed));
    }

    #[test]
    fn the_largest_report_fits_into_a_message_of_nats() {
        let usage = (IdDigest::app("a"), Usage { messages: u64::MAX, bytes: u64::MAX });
        let usages = vec![usage; MAX_USAGES];
        let batch = Batch { number: u64::MAX, installations: usages.clone(), apps: usages };
        let largest = Report {
            sequence: u64::MAX,
            batches: vec![batch; BATCHES],
            counts: vec![(IdDigest::app("a"), u32::MAX); MAX_COUNTS],
            asks: vec![0; MAX_ASKS],
            is_full: true,
        };
        assert!(largest.encode().len() <= MAX_BYTES, "{}", largest.encode().len());
    }

    proptest! {
        #[test]
        fn mangled_reports_never_panic(position in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = report().encode();
            let position = position.index(bytes.len());
            bytes[position] = byte;
            let _ = Report::decode(&bytes);
            let _ = Report::decode(&bytes[..position]);
        }
    }
}
