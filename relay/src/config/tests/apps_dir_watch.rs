//! Watching `apps_dir`. A look stands for a second, so no test waits.

use super::{
    apps_dir::{Fixture, keys, whole},
    *,
};
use std::os::unix::fs::symlink;

/// A watched directory, and the configuration in force.
struct Watched {
    fixture: Fixture,
    config: Config,
    watch: AppsDirWatch,
}

impl Watched {
    /// Starts watching, and looks until the start is over.
    fn new(fixture: Fixture) -> Self {
        let config = fixture.load().unwrap();
        let mut watched = Self { fixture, config, watch: AppsDirWatch::default() };
        assert!(matches!(watched.look(), Look::Pending));
        let before = watched.keys();
        assert!(matches!(watched.look(), Look::Read(_)));
        assert_eq!(watched.keys(), before);
        watched
    }

    /// Looks, and takes over what was read.
    fn look(&mut self) -> Look {
        let look = self.watch.look(&self.config);
        if let Look::Read(config) = &look {
            self.config = (**config).clone();
        }
        look
    }

    fn keys(&self) -> Vec<String> {
        keys(&self.config).iter().map(|(kid, _)| (*kid).to_owned()).collect()
    }

    /// Asserts that a change is read at the second look after it, and not before.
    fn must_read(&mut self, expected: &[&str]) {
        let before = self.keys();
        assert!(matches!(self.look(), Look::Pending));
        assert_eq!(self.keys(), before);
        assert!(matches!(self.look(), Look::Read(_)));
        assert_eq!(self.keys(), expected);
        assert!(matches!(self.look(), Look::Unchanged));
    }
}

#[test]
fn added_changed_and_removed_files_are_read_at_the_second_look() {
    let mut watched = Watched::new(Fixture::new(&[("a.toml", &whole("a", "k1"))]));
    assert!(matches!(watched.look(), Look::Unchanged));
    watched.fixture.write("b.toml", &whole("b", "k2"));
    watched.must_read(&["k1", "k2"]);
    watched.fixture.write("a.toml", &whole("a", "longer"));
    watched.must_read(&["k2", "longer"]);
    // A new file of the same size replaces the old one.
    watched.fixture.write(".b.toml", &whole("b", "k3"));
    fs::rename(watched.fixture.path("apps/.b.toml"), watched.fixture.path("apps/b.toml")).unwrap();
    watched.must_read(&["k3", "longer"]);
    fs::remove_file(watched.fixture.path("apps/a.toml")).unwrap();
    watched.must_read(&["k3"]);
}

#[test]
fn the_swap_of_a_kubernetes_volume_is_read() {
    let fixture = Fixture::new(&[]);
    let version = |name: &str, kid: &str| {
        fs::create_dir(fixture.path(&format!("apps/{name}"))).unwrap();
        fixture.write(&format!("{name}/a.toml"), &whole("a", kid));
    };
    version("..v1", "k1");
    version("..v2", "k2");
    symlink("..v1", fixture.path("apps/..data")).unwrap();
    symlink("..data/a.toml", fixture.path("apps/a.toml")).unwrap();
    let mut watched = Watched::new(fixture);
    let path = |name: &str| watched.fixture.path(&format!("apps/{name}"));
    symlink("..v2", path("..data_tmp")).unwrap();
    fs::rename(path("..data_tmp"), path("..data")).unwrap();
    fs::remove_dir_all(path("..v1")).unwrap();
    watched.must_read(&["k2"]);
}

#[test]
fn a_key_file_in_or_outside_the_directory_is_watched() {
    let fixture = Fixture::new(&[("a.toml", "id = \"a\"\nsigning_key_files = [\"a.key\", \"../b.key\"]\n")]);
    fixture.write("a.key", &key("k1", 64));
    fixture.write("../b.key", &key("k2", 64));
    let mut watched = Watched::new(fixture);
    assert!(matches!(watched.look(), Look::Unchanged));
    for (name, kid, expected) in [("a.key", "k3-a", ["k2", "k3-a"]), ("../b.key", "k4-b", ["k3-a", "k4-b"])] {
        watched.fixture.write(name, &key(kid, 64));
        watched.must_read(&expected);
    }
    // Key files that are new to an app are watched as well, after one more read.
    watched.fixture.write("../c.key", &key("k5", 64));
    watched.fixture.write("a.toml", "id = \"a\"\nsigning_key_files = [\"../c.key\"]\n");
    while !matches!(watched.look(), Look::Unchanged) {}
    assert_eq!(watched.keys(), ["k5"]);
    watched.fixture.write("../c.key", &key("k6-c", 64));
    watched.must_read(&["k6-c"]);
}

#[test]
fn a_file_that_is_being_written_is_not_read_before_it_rests() {
    let mut watched =
        Watched::new(Fixture::new(&[("a.toml", &whole("a", "k1")), ("b.toml", &whole("b", "k2"))]));
    // Each part is valid, and lacks the keys that follow.
    let parts = ["", "id = \"a\"\n", "id = \"longer\"\n"];
    let text = format!("id = \"a\"\nsigning_keys = [\"{}\"]\n#", key("k3", 64));
    fs::remove_file(watched.fixture.path("apps/b.toml")).unwrap();
    for part in parts {
        watched.fixture.write("a.toml", part);
        assert!(matches!(watched.look(), Look::Pending));
    }
    for length in 0..5 {
        watched.fixture.write("a.toml", &format!("{text}{}", "#".repeat(length)));
        assert!(matches!(watched.look(), Look::Pending));
        assert_eq!(watched.keys(), ["k1", "k2"]);
    }
    assert!(matches!(watched.look(), Look::Read(_)));
    assert_eq!(watched.keys(), ["k3"]);
}

#[test]
fn an_invalid_directory_changes_nothing_and_is_reported_once_until_it_is_valid_again() {
    let mut watched = Watched::new(Fixture::new(&[("a.toml", &whole("a", "k1"))]));
    let refused = |watched: &mut Watched, expected: &str| {
        assert!(matches!(watched.look(), Look::Pending));
        let Look::Refused(error) = watched.look() else { panic!() };
        assert!(error.to_string().contains(expected), "{error}");
        for _ in 0..100 {
            assert!(matches!(watched.look(), Look::Pending));
        }
        assert_eq!(watched.keys(), ["k1"]);
    };
    watched.fixture.write("b.toml", "id = ");
    refused(&mut watched, "b.toml: line 1: not TOML");
    watched.fixture.write("b.toml", "id = \"b\"\n");
    refused(&mut watched, "'b' has no signing key");
    fs::rename(watched.fixture.path("apps"), watched.fixture.path("gone")).unwrap();
    refused(&mut watched, "cannot be read as a directory");
    // The same state as at the start is read again, since the relay does not know how long the fault lasted.
    fs::rename(watched.fixture.path("gone"), watched.fixture.path("apps")).unwrap();
    fs::remove_file(watched.fixture.path("apps/b.toml")).unwrap();
    assert!(matches!(watched.look(), Look::Pending));
    assert!(matches!(watched.look(), Look::Read(_)));
    assert_eq!(watched.keys(), ["k1"]);
    // The same fault is a new one.
    watched.fixture.write("b.toml", "id = ");
    refused(&mut watched, "b.toml: line 1: not TOML");
}

#[test]
fn the_last_app_cannot_be_removed() {
    let mut watched = Watched::new(Fixture::new(&[("a.toml", &whole("a", "k1"))]));
    fs::remove_file(watched.fixture.path("apps/a.toml")).unwrap();
    assert!(matches!(watched.look(), Look::Pending));
    let Look::Refused(error) = watched.look() else { panic!() };
    assert!(error.to_string().contains("no app is configured"), "{error}");
}

#[test]
fn a_directory_that_never_rests_is_refused_after_half_a_minute() {
    let mut watched = Watched::new(Fixture::new(&[("a.toml", &whole("a", "k1"))]));
    let mut touch = |number: usize| {
        watched.fixture.write("note", &"#".repeat(number));
        watched.look()
    };
    assert!((1..30).all(|number| matches!(touch(number), Look::Pending)));
    let Look::Refused(error) = touch(30) else { panic!() };
    assert!(error.to_string().contains("apps: changes all the time"), "{error}");
    assert!((31..100).all(|number| matches!(touch(number), Look::Pending)));
    assert!(matches!(watched.look(), Look::Read(_)));
}

#[test]
fn an_unchanged_directory_is_read_once_a_minute_since_a_file_system_may_hide_a_change() {
    let mut watched = Watched::new(Fixture::new(&[("a.toml", &whole("a", "k1"))]));
    for _ in 0..3 {
        assert!((0..59).all(|_| matches!(watched.look(), Look::Unchanged)));
        assert!(matches!(watched.look(), Look::Pending));
        assert!(matches!(watched.look(), Look::Read(_)));
    }
}

#[test]
fn a_relay_without_a_directory_has_nothing_to_watch() {
    let config = load(&app("a", "k")).unwrap();
    assert!(matches!(AppsDirWatch::default().look(&config), Look::Unchanged));
}
