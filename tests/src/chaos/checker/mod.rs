//! Proves the guarantees of a run from its record alone: everything acknowledged was delivered once and in order, or a gap
//! was reported.

mod gaps;
mod index;
mod subscription;
#[cfg(test)]
mod tests;
mod verdict;

pub use verdict::{Finding, Kind, Verdict};

use super::history::{History, Outcome};
use index::Index;
use subscription::Walk;

/// Checks every subscription of a run that has ended: all publications are answered or given up, and every subscriber had
/// the time to receive the last message of its channels.
#[must_use]
pub fn check(history: &History) -> Verdict {
    let index = Index::new(history);
    let mut verdict = Verdict::default();
    verdict.reconnects = history.reconnects;
    verdict.reused_epochs = index.reused.len() as u64;
    count_publications(history, &mut verdict);
    for failure in &history.failures {
        verdict.find(Kind::Failure, || failure.clone());
    }
    for subscription in &history.subscriptions {
        Walk::new(history, &index, subscription, &mut verdict).check();
    }
    verdict
}

fn count_publications(history: &History, verdict: &mut Verdict) {
    let mut answers = Vec::new();
    for publication in &history.publications {
        match publication.outcome {
            Outcome::Acknowledged { at, .. } => {
                verdict.longest_wait = verdict.longest_wait.max(at.saturating_sub(publication.started_at));
                answers.push(at);
            }
            Outcome::Pending | Outcome::Failed => verdict.unacknowledged += 1,
        }
    }
    verdict.acknowledged = answers.len() as u64;
    answers.sort_unstable();
    // The last messages wait for the arrival of those before them.
    answers.retain(|at| history.traffic_ended_at.is_none_or(|end| *at <= end));
    verdict.longest_pause = answers.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
}
