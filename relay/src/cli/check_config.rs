//! `sealwire-relay check-config`: prints the settings in force, and reports errors and risks of the configuration.

use super::{ConfigArgs, print};
use clap::Args;
use std::process::ExitCode;

/// The exit status of `--strict` for a valid configuration with risks.
const RISKY: u8 = 3;

#[derive(Args)]
pub(super) struct CheckConfig {
    #[command(flatten)]
    config: ConfigArgs,
    /// Exit with status 3 if the configuration has risks.
    #[arg(long)]
    strict: bool,
}

impl CheckConfig {
    /// Prints the settings in force to standard output and the risks to standard error.
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

/// The risk of more connections than the system allows open files: every connection needs a file descriptor.
fn too_few_files(max_connections: usize) -> Option<String> {
    let allowed = rlimit::Resource::NOFILE.get_hard().ok()?;
    (allowed < max_connections as u64).then(|| {
        format!(
            "setting max_connections: {max_connections} connections need as many open files, and the system allows this \
             user {allowed}; raise the limit (LimitNOFILE= in a systemd unit, 'ulimits' in a compose file)"
        )
    })
}
