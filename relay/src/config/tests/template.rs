//! The configuration file that `init` writes.

use super::*;

#[test]
fn the_template_is_a_valid_configuration_with_the_defaults_and_a_trusted_proxy_on_its_machine() {
    for id in ["team-dashboard", "ari:cloud:ecosystem::app/1", "with \"quotes\" and \\"] {
        let new = NewApp::generate(id.into()).unwrap();
        let config = load(&template(&new, "127.0.0.1:7440".parse().unwrap(), false)).unwrap();
        let defaults = Config {
            keyring: config.keyring.clone(),
            fixed_apps: config.fixed_apps.clone(),
            secret_files: config.secret_files.clone(),
            settings: Settings { trusted_proxies: "127.0.0.1".parse().unwrap(), ..Settings::default() },
            ..Config::default()
        };
        assert_eq!(format!("{config:?}"), format!("{defaults:?}"));
        assert_eq!(Config { secret_files: Vec::new(), ..config.clone() }.risks(), []);
        let (kid, _) = new.signing_key.split_once('.').unwrap();
        assert_eq!(config.keyring.find(kid).map(|(app, _)| app), Some(id));
    }
}

#[test]
fn the_template_has_every_setting_as_a_comment_with_its_default() {
    let new = NewApp::generate("a".into()).unwrap();
    let text = template(&new, "127.0.0.1:7440".parse().unwrap(), false);
    for setting in Setting::ALL {
        let line = format!("# {} = ", setting.key());
        let is_set = ["listen", "trusted_proxies"].contains(&setting.key());
        assert_eq!(text.lines().filter(|other| other.starts_with(&line)).count(), usize::from(!is_set));
    }
    let uncommented = text.lines().map(|line| match line.strip_prefix("# ") {
        Some(rest) if Setting::find(rest.split(' ').next().unwrap()).is_some() && rest.contains(" = ") => {
            rest
        }
        _ => line,
    });
    let config = load(&uncommented.collect::<Vec<_>>().join("\n")).unwrap();
    let trusted_proxies = "127.0.0.1".parse().unwrap();
    assert_eq!(config.settings, Settings { trusted_proxies, ..Settings::default() });
    assert!(text.lines().all(|line| line.chars().count() <= 104 || line.starts_with("signing_keys")));
}
