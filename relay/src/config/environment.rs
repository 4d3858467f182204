//! Reads settings and one app from the environment variables `SEALWIRE_RELAY_…`.

use super::{
    Config,
    error::{ConfigError, ConfigOrigin},
    service_links::is_service_link,
};
use crate::settings::{Setting, unknown};
use zeroize::Zeroizing;

const PREFIX: &str = "SEALWIRE_RELAY_";
/// The id of an app, whose keys are in [`SIGNING_KEYS`].
const APP: &str = "APP";
/// The signing keys of that app, separated by commas or spaces.
const SIGNING_KEYS: &str = "SIGNING_KEYS";
/// The path of the configuration file, which the command line reads.
const CONFIG: &str = "CONFIG";

pub(super) fn read(
    environment: impl IntoIterator<Item = (String, String)>,
    config: &mut Config,
) -> Result<(), ConfigError> {
    let (mut app, mut keys) = (None, None);
    for (variable, text) in environment {
        let Some(name) = variable.strip_prefix(PREFIX) else { continue };
        let origin = ConfigOrigin::Variable(variable.clone());
        if let Some(setting) = Setting::ALL.iter().find(|setting| setting.variable() == name) {
            setting
                .read(&mut config.settings, text.trim())
                .map_err(|problem| ConfigError { origin, problem })?;
            continue;
        }
        match name {
            CONFIG => {}
            APP => app = Some((text, origin)),
            SIGNING_KEYS => keys = Some((Zeroizing::new(text), origin)),
            name if is_service_link(name, &text) => {}
            name => {
                let settings: Vec<String> = Setting::ALL.iter().map(|setting| setting.variable()).collect();
                let mut known: Vec<&str> = settings.iter().map(String::as_str).collect();
                known.extend([APP, SIGNING_KEYS, CONFIG]);
                let problem = unknown(&format!("variable {PREFIX}…"), name, &known);
                return Err(ConfigError { origin, problem });
            }
        }
    }
    match (app, keys) {
        (None, None) => Ok(()),
        (Some((id, origin)), Some((keys, keys_origin))) => {
            let keys = keys.split([',', ' ', '\n']).filter(|key| !key.is_empty());
            let keys = keys.map(|key| (Zeroizing::new(key.to_owned()), keys_origin.clone()));
            config.fixed_apps.add(&id, origin, keys.collect())
        }
        (Some((_, origin)), None) => {
            let problem = format!("needs {PREFIX}{SIGNING_KEYS} as well, with the app's keys");
            Err(ConfigError { origin, problem })
        }
        (None, Some((_, origin))) => {
            let problem = format!("needs {PREFIX}{APP} as well, with the id of the keys' app");
            Err(ConfigError { origin, problem })
        }
    }
}
