//! The progress of xtask: one line for each step on stderr, in the format of cargo.

/// Announces a step that does work.
pub(crate) fn building(subject: &str) {
    say("Building", subject);
}

/// Announces an installation, which may take minutes and change the machine.
pub(crate) fn installing(subject: &str) {
    say("Installing", subject);
}

/// Announces a pause.
pub(crate) fn waiting(subject: &str) {
    say("Waiting", subject);
}

/// Announces an optional step that is left out, with the reason.
pub(crate) fn skipping(subject: &str) {
    say("Skipping", subject);
}

/// Announces a check or a stage of tests.
pub(crate) fn checking(subject: &str) {
    say("Checking", subject);
}

/// Announces a check or a stage that failed, with the reason.
pub(crate) fn failed(subject: &str) {
    say("Failed", subject);
}

fn say(verb: &str, subject: &str) {
    eprintln!("{verb:>12} {subject}");
}
