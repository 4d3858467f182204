//! Writes the configuration in force as a TOML file. `sealwire-relay check-config` prints it.

use super::Config;
use crate::settings::Setting;
use std::{collections::BTreeMap, fmt::Write as _};

impl Config {
    /// Writes every setting with its value in force as TOML, and every app as a comment with the `kid`s of its keys. The
    /// text contains no key.
    #[must_use]
    pub fn effective(&self) -> String {
        let mut lines = String::new();
        for setting in Setting::ALL {
            let _ = writeln!(lines, "{} = {}", setting.key(), setting.value(&self.settings));
        }
        let mut apps = BTreeMap::<&str, Vec<&str>>::new();
        for (kid, app) in self.keyring.iter() {
            apps.entry(app).or_default().push(kid);
        }
        for (app, kids) in apps {
            let _ = writeln!(lines, "# app {app:?}, signing keys: {}", kids.join(", "));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{NewApp, Overrides, template};
    use std::fs;

    fn load(text: &str) -> Config {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("relay.toml");
        fs::write(&path, text).unwrap();
        Config { secret_files: Vec::new(), ..Config::load(Some(&path), [], &Overrides::default()).unwrap() }
    }

    #[test]
    fn the_printed_configuration_loads_as_the_same_configuration() {
        let app = NewApp::generate("an \"app\"\nof ours".into()).unwrap();
        let defaults = template(&app, "127.0.0.1:7440".parse().unwrap(), false);
        let changed = defaults
            .replace("listen = \"127.0.0.1:7440\"", "listen = \"[::1]:0\"")
            .replace("# proxy_terminates_tls = false", "proxy_terminates_tls = true")
            .replace("# replay_window = \"2m\"", "replay_window = \"1500ms\"")
            .replace("# replay_bytes = \"256MiB\"", "replay_bytes = 1000001")
            .replace("# heartbeat = \"25s\"", "heartbeat = \"90s\"")
            .replace("# log = \"info\"", "log = \"warn,audit=info\"")
            .replace("# log_format = \"text\"", "log_format = \"json\"");
        assert_eq!(changed.matches("\n# ").count(), defaults.matches("\n# ").count() - 6);
        for text in [&**defaults, &*changed] {
            let config = load(text);
            let printed = config.effective();
            let apps = &text[text.find("[[app]]").unwrap()..];
            assert_eq!(format!("{:?}", load(&format!("{printed}{apps}"))), format!("{config:?}"));
        }
        assert_ne!(load(&defaults).effective(), load(&changed).effective());
    }

    #[test]
    fn the_printed_configuration_names_keys_and_contains_none() {
        let app = NewApp::generate("a".into()).unwrap();
        let printed = load(&template(&app, "127.0.0.1:7440".parse().unwrap(), false)).effective();
        let (kid, secret) = app.signing_key.split_once('.').unwrap();
        assert!(printed.ends_with(&format!("\n# app \"a\", signing keys: {kid}\n")), "{printed}");
        assert!(!printed.contains(&secret[..8]), "{printed}");
    }
}
