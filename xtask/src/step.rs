//! What xtask says while it works: one line a step, in cargo's manner, on stderr.

/// Announces a step that does work.
pub(crate) fn building(what: &str) {
    say("Building", what);
}

/// Announces that something is being installed, which may take a while and change the machine.
pub(crate) fn installing(what: &str) {
    say("Installing", what);
}

/// Announces a pause.
pub(crate) fn waiting(what: &str) {
    say("Waiting", what);
}

/// Announces something optional that is left out, and why.
pub(crate) fn skipping(what: &str) {
    say("Skipping", what);
}

/// Announces a check or a stage of the tests.
pub(crate) fn checking(what: &str) {
    say("Checking", what);
}

/// Announces that a check or a stage failed, and why.
pub(crate) fn failed(what: &str) {
    say("Failed", what);
}

fn say(verb: &str, what: &str) {
    eprintln!("{verb:>12} {what}");
}
