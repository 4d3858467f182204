//! The flags of `run` and of the other commands that load the configuration: one for each setting, and `--config`.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, error::Error as ClapError, value_parser};
use sealwire_relay::{Config, ConfigError, Overrides, Setting};
use std::{env, path::PathBuf};

/// The configuration file that is read if no flag and no variable names one.
pub(super) const DEFAULT_PATH: &str = "sealwire-relay.toml";

const CONFIG: &str = "config";

/// The sources of the configuration. Flags override SEALWIRE_RELAY_… variables, and variables override the file.
pub(crate) struct ConfigArgs {
    file: Option<PathBuf>,
    flags: Overrides,
}

impl ConfigArgs {
    pub(super) fn load(&self) -> Result<Config, ConfigError> {
        Config::load(self.file().as_deref(), environment(), &self.flags)
    }

    pub(super) fn load_without_apps_dir(&self) -> Result<Config, ConfigError> {
        Config::load_without_apps_dir(self.file().as_deref(), environment(), &self.flags)
    }

    fn file(&self) -> Option<PathBuf> {
        let default = PathBuf::from(DEFAULT_PATH);
        self.file.clone().or_else(|| default.exists().then_some(default))
    }
}

/// The variables in Unicode. Others cannot be settings.
pub(super) fn environment() -> impl Iterator<Item = (String, String)> {
    env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

impl Args for ConfigArgs {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new(CONFIG)
            .long(CONFIG)
            .env("SEALWIRE_RELAY_CONFIG")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("Configuration file [default: sealwire-relay.toml if it exists]");
        Setting::ALL.iter().map(flag).fold(command.arg(file), Command::arg)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn flag(setting: &'static Setting) -> Arg {
    let flag = Arg::new(setting.key())
        .long(setting.key().replace('_', "-"))
        .value_name(setting.value_name())
        .help(setting.summary());
    // A boolean flag without a value means true.
    if setting.is_boolean() { flag.num_args(0..=1).default_missing_value("true") } else { flag }
}

impl FromArgMatches for ConfigArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, ClapError> {
        let value = |setting: &Setting| matches.get_one::<String>(setting.key()).cloned();
        let flags = Setting::ALL
            .iter()
            .fold(Overrides::default(), |flags, setting| flags.with(setting, value(setting)));
        Ok(Self { file: matches.get_one(CONFIG).cloned(), flags })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), ClapError> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
