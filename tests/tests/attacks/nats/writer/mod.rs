//! A hostile client of NATS with the power of a malicious relay (`nats-writer-`): it may do everything in the account of the
//! relays, so it can delay messages and end subscriptions. It must not end a session, reach another channel, or have an
//! effect that outlasts it.

mod attacks;
mod scene;

use scene::Scene;
use std::time::Instant;

/// An attack by a writer. Its name is listed in docs/security.md.
pub(crate) struct WriterAttack {
    pub(crate) name: &'static str,
    run: fn(&Scene),
}

pub(crate) use attacks::ATTACKS;

/// The most by which the memory of a relay may grow during an attack, in MiB.
const MAX_GROWTH: usize = 256;

#[test]
#[allow(clippy::print_stdout, reason = "the test command shows the figures")]
fn a_hostile_writer_in_nats_ends_no_session_and_has_no_lasting_effect() {
    let only = std::env::var("SEALWIRE_ATTACK").unwrap_or_default();
    let scene = Scene::start();
    for attack in ATTACKS.iter().filter(|attack| attack.name.contains(&only)) {
        let mut victims = scene.victims();
        scene.await_service(&mut victims);
        let start = Instant::now();
        let grown = scene.growth_during(|| scene.with_traffic(|| (attack.run)(&scene)));
        let attacked = start.elapsed();
        scene.await_service(&mut victims);
        println!(
            "{}: {:.1} s, {grown} MiB, service {:.1} s later",
            attack.name,
            attacked.as_secs_f64(),
            (start.elapsed() - attacked).as_secs_f64(),
        );
        assert!(grown < MAX_GROWTH, "{}: a relay's memory grew by {grown} MiB", attack.name);
    }
    scene.target.must_have_logged_no_secret();
}
