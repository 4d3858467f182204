//! Reading the apps of `apps_dir`.

use super::*;
use std::{
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    process::Command,
    sync::Arc,
    thread,
};
use tempfile::TempDir;

/// A directory with a configuration file and the subdirectory `apps`.
pub(super) struct Fixture(TempDir);

impl Fixture {
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let fixture = Self(tempfile::tempdir().unwrap());
        fs::create_dir(fixture.path("apps")).unwrap();
        fixture.private("relay.toml", "apps_dir = \"apps\"\ntrusted_proxies = [\"127.0.0.1\"]\n");
        for (name, text) in files {
            fixture.write(name, text);
        }
        fixture
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file of `apps` that only its owner can read.
    pub(super) fn write(&self, name: &str, text: &str) {
        self.private(&format!("apps/{name}"), text);
    }

    fn private(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(super) fn load(&self) -> Result<Config, ConfigError> {
        Config::load(Some(&self.path("relay.toml")), [], &Overrides::default())
    }

    fn error(&self) -> String {
        self.load().unwrap_err().to_string()
    }
}

/// Returns the text of a file that is one app as a whole.
pub(super) fn whole(id: &str, kid: &str) -> String {
    app(id, kid).replace("[[app]]\n", "")
}

/// Returns the `kid`s and their apps.
pub(super) fn keys(config: &Config) -> Vec<(&str, &str)> {
    config.keyring.iter().collect()
}

#[test]
fn every_toml_file_is_an_app_or_several_and_hidden_files_are_ignored() {
    let fixture = Fixture::new(&[
        ("a.toml", &whole("a", "k1")),
        ("several.toml", &format!("{}{}", app("b", "k2"), app("c", "k3"))),
        ("d.toml", "id = \"d\"\nsigning_key_files = [\"d.key\", \"../good.key\"]\n"),
        ("d.key", &key("k4", 64)),
        (".a.toml.swp", "not TOML"),
    ]);
    fixture.private("good.key", &key("k5", 64));
    fs::create_dir(fixture.path("apps/..data")).unwrap();
    let config = fixture.load().unwrap();
    assert_eq!(keys(&config), [("k1", "a"), ("k2", "b"), ("k3", "c"), ("k4", "d"), ("k5", "d")]);
    assert_eq!(config.risks(), []);
    let printed = config.effective();
    assert!(printed.contains(&format!("apps_dir = \"{}\"\n", fixture.path("apps").display())), "{printed}");
    assert!(
        printed.ends_with("# app \"d\", signing keys: k4, k5\n") && !printed.contains("BQUFBQU"),
        "{printed}"
    );
}

#[test]
fn apps_come_from_a_directory_that_all_three_sources_can_name() {
    let fixture = Fixture::new(&[("a.toml", &whole("a", "k1"))]);
    let path = fixture.path("apps").display().to_string();
    let variables = [
        ("SEALWIRE_RELAY_APPS_DIR", &*path),
        ("SEALWIRE_RELAY_APP", "c"),
        ("SEALWIRE_RELAY_SIGNING_KEYS", &key("k3", 64)),
    ];
    let from_environment = load_with(&app("b", "k2"), &variables, &Overrides::default()).unwrap();
    assert_eq!(keys(&from_environment), [("k1", "a"), ("k2", "b"), ("k3", "c")]);
    let flags = Overrides::default().with(setting("apps_dir"), Some(path));
    let from_flag = load_with(&app("b", "k2"), &[], &flags).unwrap();
    assert_eq!(keys(&from_flag), [("k1", "a"), ("k2", "b")]);
    assert_eq!(keys(&fixture.load().unwrap()), [("k1", "a")]);
}

#[test]
fn the_volume_of_a_kubernetes_secret_is_read_through_its_symbolic_links() {
    let fixture = Fixture::new(&[]);
    fs::create_dir(fixture.path("apps/..2026_11_26.1")).unwrap();
    fixture.write("..2026_11_26.1/a.toml", &whole("a", "k1"));
    symlink("..2026_11_26.1", fixture.path("apps/..data")).unwrap();
    symlink("..data/a.toml", fixture.path("apps/a.toml")).unwrap();
    assert_eq!(keys(&fixture.load().unwrap()), [("k1", "a")]);
}

#[test]
fn a_faulty_file_is_refused_with_its_name_and_the_correction_and_without_a_key() {
    let secret = key("k1", 64);
    for (name, text, expected) in [
        ("a.toml", String::new(), "a.toml: has no app; write its id and signing_keys"),
        ("a.toml", "app = []".into(), "a.toml: has no app"),
        ("a.toml", format!("id = \"a\"\nsigning_keys = [\"{secret}\"\n"), "a.toml: line 2: not TOML"),
        ("a.toml", format!("id = \"a\"\nsigning_key = [\"{secret}\"]\n"), "did you mean 'signing_keys'?"),
        (
            "a.toml",
            format!("id = \"a\"\nsigning_keys = \"{secret}\"\n"),
            "a.toml: signing_keys: must be a list",
        ),
        ("a.toml", format!("signing_keys = [\"{secret}\"]\n"), "a.toml: id: must be the app's id"),
        ("a.toml", "id = \"a\"\n".into(), "a.toml: id: the app 'a' has no signing key"),
        (
            "a.toml",
            format!("heartbeat = \"5s\"\n{}", whole("a", "k1")),
            "a.toml: heartbeat: does not belong here",
        ),
        ("a.toml", format!("apps_dir = \"b\"\n{}", app("a", "k1")), "a.toml: apps_dir: does not belong here"),
        ("a.toml", format!("id = \"a\"\n{}", app("a", "k1")), "a.toml: id: does not belong here"),
        (
            "a.toml",
            whole("a", "k1").replace("k1.", "k1"),
            "a.toml: signing_keys, key 1: a signing key has the form",
        ),
        (
            "a.toml",
            app("a", "k1").replace("k1.", "k 1."),
            "a.toml: app 1, signing_keys, key 1: a signing key's kid",
        ),
        ("a.toml", "id = \"a\"\nsigning_key_files = [\"no.key\"]".into(), "no.key: cannot be read"),
        ("a.toml", "#".repeat(64 * 1024 + 1), "a.toml: is larger than 65536 bytes"),
        ("b.toml", whole("first", "other"), "b.toml: id: the app 'first' is configured twice"),
        (
            "b.toml",
            whole("second", "one"),
            "b.toml: signing_keys, key 1: two signing keys have the kid 'one'",
        ),
    ] {
        let fixture = Fixture::new(&[("0.toml", &whole("first", "one")), (name, &text)]);
        let error = fixture.error();
        assert!(error.starts_with(&fixture.path("apps").display().to_string()), "{error}");
        assert!(error.contains(expected), "{expected}: {error}");
        assert!(!error.contains("BQUFBQU"), "the message contains a signing key: {error}");
    }
}

#[test]
fn an_app_in_two_sources_is_refused_with_both_places() {
    let fixture = Fixture::new(&[("a.toml", &whole("a", "k1"))]);
    let twice = [("SEALWIRE_RELAY_APP", "a"), ("SEALWIRE_RELAY_SIGNING_KEYS", &*key("k2", 64))];
    let twice = twice.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let path = fixture.path("relay.toml");
    let error = Config::load(Some(&path), twice, &Overrides::default()).unwrap_err().to_string();
    assert!(error.contains("a.toml: id: the app 'a' is configured twice"), "{error}");
    assert!(error.ends_with("The other place: environment variable SEALWIRE_RELAY_APP"), "{error}");
    let in_file = format!("{}{}", fs::read_to_string(&path).unwrap(), app("a", "k2"));
    fs::write(&path, in_file).unwrap();
    assert!(fixture.error().ends_with("relay.toml: app 1, id"), "{}", fixture.error());
}

#[test]
fn a_directory_that_is_missing_or_too_large_or_the_only_source_and_empty_is_refused() {
    let fixture = Fixture::new(&[]);
    let empty = fixture.error();
    assert!(empty.contains("apps: no app is configured") && empty.contains("add a file"), "{empty}");

    (0..1000).for_each(|number| fixture.write(&format!("{number}.key"), ""));
    fixture.write(".hidden", "");
    assert!(fixture.error().contains("no app is configured"));
    fixture.write("one-more.key", "");
    assert!(fixture.error().contains("apps: has more than 1000 files; put several apps into one file"));

    let other = Fixture::new(&[]);
    let many = |first: usize| {
        let keys: Vec<_> =
            (first..first + 512).map(|number| format!("\"{}\"", key(&format!("k{number}"), 64))).collect();
        format!("id = \"app-{first}\"\nsigning_keys = [{}]\n", keys.join(", "))
    };
    (0..8).for_each(|number| other.write(&format!("{number}.toml"), &many(number * 512)));
    assert_eq!(other.load().unwrap().keyring.iter().count(), 4096);
    other.write("9.toml", &whole("a", "one-more"));
    assert!(other.error().contains("apps: has more than 4096 signing keys"), "{}", other.error());

    let path = other.path("apps");
    fs::remove_dir_all(&path).unwrap();
    assert!(other.error().contains("apps: cannot be read as a directory"), "{}", other.error());
    fs::write(&path, "").unwrap();
    assert!(other.error().contains("apps: cannot be read as a directory"), "{}", other.error());
}

/// Loads a configuration whose only key comes from a pipe, and changes the directory during each of the first reads.
fn load_during_changes(changes: usize, reads: usize) -> Result<Config, ConfigError> {
    let app = "id = \"a\"\nsigning_key_files = [\"a.key\"]\n";
    let fixture = Arc::new(Fixture::new(&[("a.toml", app)]));
    let pipe = fixture.path("apps/a.key");
    make_pipe(&pipe);
    let shared = fixture.clone();
    // If fewer reads follow than expected, the thread stays behind.
    thread::spawn(move || {
        for read in 0..reads {
            // Opening the pipe waits for its reader, which then waits for the key.
            let mut writer = fs::File::create(&pipe).unwrap();
            if read < changes {
                shared.write(&format!("b{read}.toml"), &whole(&format!("b{read}"), &format!("b{read}")));
            }
            // The next read opens another pipe, since this one may still have its reader.
            let next = shared.path("apps/.next");
            make_pipe(&next);
            fs::rename(next, &pipe).unwrap();
            writer.write_all(key("k1", 64).as_bytes()).unwrap();
        }
    });
    fixture.load()
}

fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_directory_that_changes_while_it_is_read_is_read_again_three_times_at_most() {
    assert_eq!(keys(&load_during_changes(0, 1).unwrap()), [("k1", "a")]);
    assert_eq!(keys(&load_during_changes(2, 3).unwrap()), [("b0", "b0"), ("b1", "b1"), ("k1", "a")]);
    let error = load_during_changes(3, 3).unwrap_err().to_string();
    assert!(error.contains("apps: changed while the relay read it"), "{error}");
}

#[test]
fn only_a_regular_file_is_read_as_an_app() {
    let fixture = Fixture::new(&[("a.toml", &whole("a", "k1"))]);
    let refused = fixture.path("apps/b.toml");
    fs::create_dir(&refused).unwrap();
    assert!(fixture.error().contains("b.toml: is not a regular file"), "{}", fixture.error());
    fs::remove_dir(&refused).unwrap();
    // Opening a pipe would wait forever.
    make_pipe(&refused);
    assert!(fixture.error().contains("b.toml: is not a regular file"), "{}", fixture.error());
    fs::remove_file(&refused).unwrap();
    symlink("nowhere", &refused).unwrap();
    assert!(fixture.error().contains("b.toml: cannot be read"), "{}", fixture.error());
}

#[test]
fn unread_names_readable_secrets_and_a_directory_that_everybody_can_write_are_risks() {
    let fixture = Fixture::new(&[
        ("a.toml", "id = \"a\"\nsigning_key_files = [\"a.key\"]\n"),
        ("a.key", &key("k1", 64)),
        ("b.toml", &whole("b", "k2")),
        ("c.toml.off", &whole("c", "k3")),
    ]);
    fs::create_dir(fixture.path("apps/lost+found")).unwrap();
    for (name, mode) in [("a.key", 0o644), ("b.toml", 0o640), ("a.toml", 0o644)] {
        fs::set_permissions(fixture.path("apps").join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::set_permissions(fixture.path("apps"), fs::Permissions::from_mode(0o777)).unwrap();
    let config = fixture.load().unwrap();
    assert_eq!(keys(&config), [("k1", "a"), ("k2", "b")]);
    let apps = fixture.path("apps").display().to_string();
    let risks: Vec<_> = config.risks().iter().map(|risk| risk.to_string().replace(&apps, "")).collect();
    let starts = [
        ": every user of the machine can add an app",
        "/a.key: contains a key, and its mode 644",
        "/c.toml.off: the relay does not read it",
        "/lost+found: the relay does not read it",
    ];
    assert_eq!(risks.len(), starts.len(), "{risks:?}");
    for (risk, start) in risks.iter().zip(starts) {
        assert!(risk.starts_with(start), "{start}: {risk}");
    }
}

#[test]
fn the_health_check_needs_no_valid_app_in_the_directory() {
    let fixture = Fixture::new(&[("a.toml", "broken")]);
    fixture.load().unwrap_err();
    let path = fixture.path("relay.toml");
    let config = Config::load_without_apps_dir(Some(&path), [], &Overrides::default()).unwrap();
    assert_eq!(config.settings.apps_dir, Some(fixture.path("apps")));
}
