//! The commands of `sealwire-relay`.

mod app_side;
mod check_config;
mod config_args;
mod config_schema;
mod dev;
mod healthcheck;
mod init;
mod loader;
mod logging;
mod print;
mod private_file;
mod run;
mod stop_signal;

pub(crate) use print::warn;

use clap::{Parser, Subcommand};
use config_args::{ConfigArgs, DEFAULT_PATH};
use std::{error::Error, process::ExitCode};

/// The Sealwire relay: end-to-end encrypted realtime for Atlassian Forge apps.
#[derive(Parser)]
#[command(version, about, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: ConfigArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Run the relay (the default).
    Run(ConfigArgs),
    /// Run a relay for development beside `forge tunnel`, and show what clients do.
    Dev(dev::Dev),
    /// Write a configuration with a new app, and print the settings of its Forge app.
    Init(init::Init),
    /// Print the settings in force, and report errors (exit status 1) and risks.
    CheckConfig(check_config::CheckConfig),
    /// Print the JSON Schema of the configuration file, for editors.
    ConfigSchema,
    /// Check the health of the relay that runs with this configuration; exits with 0 if it is healthy.
    Healthcheck(healthcheck::Healthcheck),
}

impl Cli {
    pub(crate) fn execute(self) -> Result<ExitCode, Box<dyn Error>> {
        match self.command {
            None => run::run(self.run)?,
            Some(Command::Run(args)) => run::run(args)?,
            Some(Command::CheckConfig(check)) => return check.execute(),
            Some(Command::Healthcheck(check)) => return check.execute(),
            Some(Command::ConfigSchema) => config_schema::print()?,
            Some(Command::Dev(dev)) => dev.execute()?,
            Some(Command::Init(init)) => init.execute()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
