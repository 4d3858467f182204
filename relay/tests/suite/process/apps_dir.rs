//! The directory of `apps_dir`: apps and keys that come and go in a running relay.

use crate::support::{APP, App, Client, RelayProcess, Scrape, relay_command};
use sealwire_protocol::Code;
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::Command,
};
use tempfile::TempDir;

const SETTINGS: &str = "listen = \"127.0.0.1:0\"\ntrusted_proxies = [\"127.0.0.1\"]\napps_dir = \"apps\"\n";
const ADMIN: &[&str] = &["--admin-listen", "127.0.0.1:0"];
const RELOADED: &str = "apps_dir was reloaded";
const REFUSED: &str = "apps_dir was not reloaded; the previous apps and keys stay in force";

fn second_key() -> App {
    App::new(APP, "two", 2)
}

fn other_app() -> App {
    App::new("other", "three", 3)
}

/// Returns the text of a file with one app, which has these keys.
fn file(keys: &[&App]) -> String {
    let texts: Vec<_> = keys.iter().map(|app| format!("\"{}\"", app.key_text)).collect();
    format!("id = \"{}\"\nsigning_keys = [{}]\n", keys[0].id, texts.join(", "))
}

/// Replaces a file in one step.
fn write(directory: &Path, name: &str, text: &str) {
    let temporary = directory.join(format!(".{name}.new"));
    fs::write(&temporary, text).unwrap();
    fs::set_permissions(&temporary, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(temporary, directory.join(name)).unwrap();
}

/// Returns a directory with these files in `apps`.
fn directory(files: &[(&str, String)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("apps")).unwrap();
    files.iter().for_each(|(name, text)| write(&directory.path().join("apps"), name, text));
    directory
}

/// Changes the directory, and returns the log of the reload that follows.
async fn changed(relay: &RelayProcess, change: impl FnOnce(&Path)) -> String {
    let start = relay.log().len();
    change(&relay.directory().join("apps"));
    relay.log_after(start, RELOADED).await
}

async fn open(relay: &RelayProcess, app: &App, account: &str) -> Client {
    let mut client = Client::open_with(relay, app.session(account)).await;
    client.subscribe("absences").await;
    client
}

#[tokio::test]
async fn keys_that_are_added_changed_and_removed_in_a_directory_take_effect_under_live_sessions() {
    let (first, second, other) = (App::one(), second_key(), other_app());
    let relay = RelayProcess::start_in(directory(&[("one.toml", file(&[&first]))]), SETTINGS, ADMIN);
    let mut leaving = open(&relay, &first, "leaving").await;
    Client::connect(relay.address).await.refused_hello(other.session("early"), Code::TokenUnknownKey).await;

    let log = changed(&relay, |apps| write(apps, "other.toml", &file(&[&other]))).await;
    assert!(log.contains("keys_added=[\"three\"] keys_removed=[]"), "{log}");
    let mut bystander = open(&relay, &other, "bystander").await;

    let log = changed(&relay, |apps| write(apps, "one.toml", &file(&[&first, &second]))).await;
    assert!(log.contains("keys_added=[\"two\"] keys_removed=[]"), "{log}");
    let mut staying = open(&relay, &second, "staying").await;
    staying.publish("absences", "both keys").await;
    assert_eq!((leaving.text().await, staying.text().await), ("both keys".into(), "both keys".into()));
    assert_eq!(Scrape::of(&relay).await.value("sealwire_signing_keys"), 3.0);

    let log = changed(&relay, |apps| write(apps, "one.toml", &file(&[&second]))).await;
    assert!(log.contains("keys_added=[] keys_removed=[\"one\"]"), "{log}");
    leaving.must_end_with(Code::TokenUnknownKey).await;
    Client::connect(relay.address).await.refused_hello(first.session("late"), Code::TokenUnknownKey).await;

    let log = changed(&relay, |apps| fs::remove_file(apps.join("one.toml")).unwrap()).await;
    assert!(log.contains("keys_added=[] keys_removed=[\"two\"]"), "{log}");
    staying.must_end_with(Code::TokenUnknownKey).await;
    bystander.publish("absences", "never disconnected").await;
    assert_eq!(bystander.text().await, "never disconnected");

    // Reads that change nothing, such as the first one after the start, log nothing.
    let scrape = Scrape::of(&relay).await;
    assert_eq!(scrape.value("sealwire_config_reloads_total{result=\"accepted\"}"), 4.0);
    assert_eq!(scrape.value("sealwire_config_reloads_total{result=\"refused\"}"), 0.0);
    assert_eq!(scrape.value("sealwire_config_current"), 1.0);
    assert_eq!(relay.log().matches("reloaded").count(), 4, "{}", relay.log());
}

#[tokio::test]
async fn an_invalid_directory_keeps_every_session_and_is_reported_in_the_log_and_the_metrics() {
    let (first, second) = (App::one(), App::new("second", "two", 2));
    let relay = RelayProcess::start_in(directory(&[("one.toml", file(&[&first]))]), SETTINGS, ADMIN);
    let mut client = open(&relay, &first, "alice").await;
    let secret = second.key_text.split_once('.').unwrap().1;
    let apps = relay.directory().join("apps");
    for (text, problem) in [
        (file(&[&second]).replace("]\n", "\n"), "not TOML"),
        (file(&[&second]).replace(secret, &secret[..60]), "64 to 1024 bytes"),
        (file(&[&second]).replace("\"second\"", &format!("\"{APP}\"")), "is configured twice"),
        (file(&[&second]).replace("two.", "one."), "two signing keys have the kid 'one'"),
        (format!("{secret} = 1\n"), "unknown key"),
    ] {
        let start = relay.log().len();
        write(&apps, "second.toml", &text);
        let log = relay.log_after(start, REFUSED).await;
        assert!(
            log.contains("ERROR") && log.contains("second.toml") && log.contains(problem),
            "{problem}: {log}"
        );
        assert!(!log.contains(&secret[..20]), "{log}");
        assert_eq!(Scrape::of(&relay).await.value("sealwire_config_current"), 0.0);
    }
    client.publish("absences", "still here").await;
    assert_eq!(client.text().await, "still here");
    Client::connect(relay.address).await.refused_hello(second.session("eve"), Code::TokenUnknownKey).await;
    let log = changed(&relay, |apps| fs::remove_file(apps.join("second.toml")).unwrap()).await;
    assert!(log.contains("keys_added=[] keys_removed=[]"), "{log}");
    let scrape = Scrape::of(&relay).await;
    assert_eq!(scrape.value("sealwire_config_current"), 1.0);
    assert_eq!(scrape.value("sealwire_config_reloads_total{result=\"refused\"}"), 5.0);

    // A file that is no app warns, and has no other effect.
    let start = relay.log().len();
    write(&apps, "second.toml.off", "");
    let log = relay.log_after(start, "the relay does not read it").await;
    assert!(log.contains("WARN") && log.contains("second.toml.off") && !log.contains(RELOADED), "{log}");
    client.publish("absences", "and still").await;
    assert_eq!(client.text().await, "and still");
}

#[tokio::test]
async fn the_atomic_swap_of_a_kubernetes_volume_is_followed() {
    let (first, second) = (App::one(), second_key());
    let directory = directory(&[]);
    let version = |apps: &Path, name: &str, keys: &[&App]| {
        fs::create_dir(apps.join(name)).unwrap();
        write(&apps.join(name), "one.toml", &file(keys));
        symlink(name, apps.join("..data_tmp")).unwrap();
        fs::rename(apps.join("..data_tmp"), apps.join("..data")).unwrap();
    };
    let apps = directory.path().join("apps");
    version(&apps, "..2026_11_26_10_00_00.1", &[&first]);
    symlink("..data/one.toml", apps.join("one.toml")).unwrap();
    let relay = RelayProcess::start_in(directory, SETTINGS, &[]);
    let mut client = open(&relay, &first, "alice").await;
    let log = changed(&relay, |apps| {
        version(apps, "..2026_11_26_11_00_00.2", &[&second]);
        fs::remove_dir_all(apps.join("..2026_11_26_10_00_00.1")).unwrap();
    })
    .await;
    assert!(log.contains("keys_added=[\"two\"] keys_removed=[\"one\"]"), "{log}");
    client.must_end_with(Code::TokenUnknownKey).await;
    open(&relay, &second, "bob").await;
}

#[tokio::test]
async fn a_signal_reads_the_directory_at_once_and_follows_another_one() {
    let (first, other) = (App::one(), other_app());
    let relay = RelayProcess::start_in(directory(&[("one.toml", file(&[&first]))]), SETTINGS, ADMIN);
    let mut client = open(&relay, &first, "alice").await;
    let next = relay.directory().join("next");
    fs::create_dir(&next).unwrap();
    write(&next, "one.toml", &file(&[&first]));
    let log = relay.reload(&SETTINGS.replace("\"apps\"", "\"next\"")).await;
    assert!(log.contains("changed=[\"apps_dir\"]") && log.contains("keys_added=[] keys_removed=[]"), "{log}");
    let start = relay.log().len();
    write(&next, "other.toml", &file(&[&other]));
    relay.log_after(start, "keys_added=[\"three\"]").await;
    open(&relay, &other, "bob").await;

    // A configuration file that is refused stays refused, while the directory is followed further.
    let log = relay.reload("heartbeat = \"never\"").await;
    assert!(log.contains("the previous one stays in force"), "{log}");
    let start = relay.log().len();
    fs::remove_file(next.join("other.toml")).unwrap();
    relay.log_after(start, "keys_removed=[\"three\"]").await;
    assert_eq!(Scrape::of(&relay).await.value("sealwire_config_current"), 0.0);
    relay.reload(&SETTINGS.replace("\"apps\"", "\"next\"")).await;
    assert_eq!(Scrape::of(&relay).await.value("sealwire_config_current"), 1.0);
    client.publish("absences", "never disconnected").await;
    assert_eq!(client.text().await, "never disconnected");
}

#[test]
fn check_config_reads_the_directory_and_reports_its_faults_and_risks() {
    let (first, other) = (App::one(), other_app());
    let directory = directory(&[("one.toml", file(&[&first])), ("other.toml", file(&[&other]))]);
    let config = directory.path().join("relay.toml");
    fs::write(&config, SETTINGS).unwrap();
    let run = |command: &str| {
        let output = relay_command().arg(command).arg("--config").arg(&config).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (status, printed, told) = run("check-config");
    assert_eq!((status, told.lines().find(|line| !line.contains("LimitNOFILE="))), (Some(0), None));
    assert!(
        printed.contains("\napps_dir = \"/") && printed.contains("# app \"other\", signing keys: three\n")
    );
    assert!(!printed.contains(&first.key_text[10..30]) && !printed.contains(&other.key_text[10..30]));

    let apps = directory.path().join("apps");
    write(&apps, "third.tml", "");
    fs::set_permissions(apps.join("one.toml"), fs::Permissions::from_mode(0o644)).unwrap();
    let (status, _, told) = run("check-config");
    assert_eq!(status, Some(0));
    assert!(
        told.contains("third.tml: the relay does not read it") && told.contains("one.toml: contains a key"),
        "{told}"
    );

    write(&apps, "third.toml", "id = \"third\"\n");
    let (status, printed, told) = run("check-config");
    assert_eq!((status, &*printed), (Some(1), ""));
    assert!(told.contains("apps/third.toml: id: the app 'third' has no signing key"), "{told}");
    // A relay does not start with it either.
    let (status, _, told) = run("run");
    assert!(status == Some(1) && told.contains("apps/third.toml"), "{told}");
}

#[tokio::test]
async fn a_relay_that_refuses_its_directory_is_healthy() {
    let relay = RelayProcess::start_in(directory(&[("one.toml", file(&[&App::one()]))]), SETTINGS, &[]);
    write(&relay.directory().join("apps"), "broken.toml", "");
    let address = relay.address.to_string();
    let output = relay_command()
        .args(["healthcheck", "--listen", &address, "--config"])
        .arg(relay.directory().join("relay.toml"))
        .output()
        .unwrap();
    // Otherwise an orchestrator would end every relay of a cluster for one wrong file, and none of them could start again.
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn a_file_system_that_hangs_stops_neither_the_relay_nor_its_shutdown() {
    let first = App::one();
    let settings = format!("{SETTINGS}drain_window = \"0s\"\n");
    let mut relay = RelayProcess::start_in(directory(&[("one.toml", file(&[&first]))]), &settings, &[]);
    let apps = relay.directory().join("apps");
    let mut client = open(&relay, &first, "alice").await;
    // A pipe hangs as a file system does whose server is gone.
    let pipe = apps.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    write(&apps, "other.toml", "id = \"other\"\nsigning_key_files = [\"pipe\"]\n");
    // Opening the pipe waits for its reader.
    let writer = tokio::task::spawn_blocking(move || fs::File::create(pipe).unwrap()).await.unwrap();
    relay.signal("HUP");
    client.publish("absences", "still here").await;
    assert_eq!(client.text().await, "still here");
    relay.signal("TERM");
    client.must_end_with(Code::ShuttingDown).await;
    let status = tokio::task::spawn_blocking(move || relay.child.wait().unwrap()).await.unwrap();
    assert!(status.success(), "{status}");
    drop(writer);
}
