//! The order of the stages when all of them run, and the stages that run beside each other.

/// Stages that run in parallel: both lists at the same time, each one stage after the other.
pub(super) struct Phase {
    pub(super) stages: &'static [&'static str],
    pub(super) beside: &'static [&'static str],
}

/// The phases, one after the other.
///
/// The tests of `native`, `chaos` and `e2e` wait for timers of relays and pages most of the time, so other stages run beside them.
/// `attacks` compares latencies and memory. `packaging` uses all cores.
pub(super) const PHASES: &[Phase] = &[
    Phase { stages: &["native", "fuzz"], beside: &["chaos", "js"] },
    Phase { stages: &["attacks", "packaging"], beside: &[] },
    Phase { stages: &["e2e", "engines"], beside: &["examples", "demo"] },
];

/// The stages that depend on no clock. They run beside all phases, at the lowest priority.
pub(super) const COMPUTING: &[&str] = &["schedules", "wasm-node", "wasm-chromium", "plain-js"];

#[cfg(test)]
mod tests {
    use super::{COMPUTING, PHASES};
    use crate::test::stages::STAGES;

    #[test]
    fn every_stage_is_in_the_plan_once() {
        let phases = PHASES.iter().flat_map(|phase| [phase.stages, phase.beside]);
        let mut planned: Vec<&str> = phases.chain([COMPUTING]).flatten().copied().collect();
        let mut stages: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
        planned.sort_unstable();
        stages.sort_unstable();
        assert_eq!(planned, stages);
    }
}
