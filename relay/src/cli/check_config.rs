//! `sealwire-relay check-config`: what a relay would run with, what is wrong with it and what is risky.

use super::{ConfigArgs, print};
use clap::Args;
use std::process::ExitCode;

/// The configuration is good and something about it is risky, which `--strict` does not let pass.
const RISKY: u8 = 3;

#[derive(Args)]
pub(super) struct CheckConfig {
    #[command(flatten)]
    config: ConfigArgs,
    /// End with status 3 where something is risky.
    #[arg(long)]
    strict: bool,
}

impl CheckConfig {
    /// The settings in force go to standard output, warnings to standard error.
    pub(super) fn execute(self) -> Result<ExitCode, Box<dyn std::error::Error>> {
        let config = self.config.load()?;
        print::result(&config.effective())?;
        let mut risks: Vec<String> = config.risks().iter().map(ToString::to_string).collect();
        risks.extend(too_few_files(config.settings.max_connections));
        for risk in &risks {
            print::warn(&format!("warning: {risk}"));
        }
        Ok(if self.strict && !risks.is_empty() { ExitCode::from(RISKY) } else { ExitCode::SUCCESS })
    }
}

/// Every connection is a file descriptor.
fn too_few_files(max_connections: usize) -> Option<String> {
    let allowed = rlimit::Resource::NOFILE.get_hard().ok()?;
    (allowed < max_connections as u64).then(|| {
        format!(
            "setting max_connections: the system allows this user {allowed} open files, and {max_connections} \
             connections need as many; raise the limit (LimitNOFILE= in a systemd unit, 'ulimits' in a compose file)"
        )
    })
}
