//! Conformance of the relay to RFC 6455, by the applicable cases of the Autobahn test suite. The suite's client waits for
//! an echo of its messages; here the message is a `Publish` and the echo is the `Published`. docs/testing.md lists the
//! cases that do not apply, and those in which the relay is stricter than the RFC.
#![allow(clippy::unwrap_used)]

mod closing;
mod framing;
mod limits;
mod session;

use sealwire_tests::{Installation, RelayProcess};
use session::Session;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A case under its number in the suite.
type Case = (&'static str, fn(&mut Session));

#[test]
#[allow(clippy::print_stdout, reason = "the test command shows the count")]
fn every_case_of_the_autobahn_suite_that_applies_passes() {
    let installation = Installation::new("conformance");
    let settings = "publish_rate = 100000\npublish_burst = 100000\nframe_burst = 1000000\nmax_sessions_per_account = 1000";
    let relay = RelayProcess::start_logged(&[&installation], settings);
    let cases: Vec<Case> = [framing::CASES, closing::CASES, limits::CASES].concat();
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|(number, case)| {
            let mut session = Session::open(relay.port, &installation);
            let error = catch_unwind(AssertUnwindSafe(|| case(&mut session))).err()?;
            let text = error.downcast_ref::<String>().cloned();
            Some(format!("{number}: {}", text.unwrap_or_default()))
        })
        .collect();
    println!("RFC 6455: {} cases, {} failed", cases.len(), failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
