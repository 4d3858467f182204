//! Settings from environment variables, all of them `SEALWIRE_RELAY_…`.

use super::{
    Config,
    apps::Apps,
    error::{ConfigError, Origin},
    service_links::is_service_link,
};
use crate::settings::{Setting, unknown};

const PREFIX: &str = "SEALWIRE_RELAY_";
/// Names one app; its keys are in [`SIGNING_KEYS`].
const APP: &str = "APP";
/// Signing keys of that app, separated by commas or spaces.
const SIGNING_KEYS: &str = "SIGNING_KEYS";
/// Read by the command line.
const CONFIG: &str = "CONFIG";

pub(super) fn read(
    environment: impl IntoIterator<Item = (String, String)>,
    config: &mut Config,
    apps: &mut Apps,
) -> Result<(), ConfigError> {
    let (mut app, mut keys) = (None, None);
    for (variable, text) in environment {
        let Some(name) = variable.strip_prefix(PREFIX) else { continue };
        let origin = Origin::Variable(variable.clone());
        if let Some(setting) = Setting::ALL.iter().find(|setting| setting.variable() == name) {
            setting
                .read(&mut config.settings, text.trim())
                .map_err(|problem| ConfigError { origin, problem })?;
            continue;
        }
        match name {
            CONFIG => {}
            APP => app = Some((text, origin)),
            SIGNING_KEYS => keys = Some((text, origin)),
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
            apps.add(&id, origin, keys.map(|key| (key.to_owned(), keys_origin.clone())).collect())
        }
        (Some((_, origin)), None) => {
            Err(ConfigError { origin, problem: format!("needs {PREFIX}{SIGNING_KEYS} as well") })
        }
        (None, Some((_, origin))) => Err(ConfigError {
            origin,
            problem: format!("needs {PREFIX}{APP} as well: whose keys are these?"),
        }),
    }
}
