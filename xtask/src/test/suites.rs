//! The suites of each stage: its builds, its installations, and the commands that run its tests.

use std::{env, num::NonZero, path::Path, thread};

use anyhow::{Context, Result, ensure};
use duct::Expression;
use serde_json::Value;

use super::{Counted, Suite, schedules};
use crate::{
    bench, cargo,
    chromium::Chromium,
    core,
    demo::{self, Options},
    engines::Engines,
    files, fuzz, iproute, nats, npm, package, parallel, python, relay, runner, step, strace,
    toolchain::{self, TARGET},
    workspace::Workspace,
};

/// Crates outside the native tests. The first three compile for wasm32 only, and the runner has no tests. xtask is tested on its
/// own: with other crates, cargo would merge the features that they request, and compile most dependencies of the running xtask
/// again.
const OUTSIDE: [&str; 5] = ["sealwire-sdk-wasm", "memory-growth", "vectors-core", runner::PACKAGE, XTASK];
const XTASK: &str = "xtask";

/// The folder of the tests that run in Chromium, Firefox and WebKit.
const ENGINES: &str = "tests/e2e/engines/";

/// The least number of native tests at once. Two thirds of their time is that of tests of relay processes, which wait for
/// timers: on two cores, six of them at once keep half a core busy.
const WAITING_TESTS: usize = 6;

/// The targets of the stage `attacks`.
const ATTACKS: [&str; 3] = ["attacks", "rfc6455", "nothing_on_disk"];

/// The tests that the stage `native` skips: the stages `attacks` and `chaos` run them against an optimized relay, and `fuzz`
/// the last one.
const LEFT_TO_OTHERS: [&str; 9] = [
    "breaks_no_guarantee_under_faults",
    "no_attack_succeeds_and_bystanders_lose_nothing",
    "no_attack_on_a_relay_of_a_cluster_succeeds_and_bystanders_lose_nothing",
    "a_hostile_writer_in_nats_ends_no_session_and_has_no_lasting_effect",
    "greedy_sessions_make_nobody_wait",
    "greedy_clients_delay_nobody_and_stay_within_the_memory",
    "every_case_of_the_autobahn_suite_that_applies_passes",
    "a_relay_that_serves_opens_no_file_for_writing",
    "every_input_of_the_corpus_passes_its_target",
];

/// The time that each fuzz target runs.
const FUZZ_SECONDS: u32 = 60;

/// Returns the command that runs the native tests of the targets in `tests`, or all.
fn native_tests(tests: &[&str], arguments: &[&str]) -> Expression {
    let targets: Vec<_> = tests.iter().flat_map(|test| ["--test", test]).collect();
    native_command(&targets, arguments)
}

/// Returns `cargo test` for the native crates. The packages are always the same ones: cargo merges the features that they
/// request of a dependency, so another choice would compile most dependencies again.
fn native_command(selection: &[&str], arguments: &[&str]) -> Expression {
    let mut command = vec!["test", "--quiet", "--locked", "--no-fail-fast", "--workspace"];
    command.extend(OUTSIDE.iter().flat_map(|package| ["--exclude", package]));
    command.extend(selection);
    command.push("--");
    command.extend(arguments);
    cargo::command(command)
}

/// Compiles the programs of the stages `native`, `attacks`, `chaos`, `fuzz` and `schedules`. While cargo compiles the schedules,
/// no other stage could start the optimized relay, since both lock the same folder.
pub(super) fn compile(workspace: &Workspace) -> Result<()> {
    step::building("the relay, the native tests and the schedules");
    relay::build(workspace)?;
    // Both end with large crates, each of which occupies one core.
    parallel::both(
        || {
            relay::build_quick(workspace)?;
            schedules::build(workspace)?.run().context("the schedules did not build")
        },
        || {
            let tests = native_command(&["--no-run"], &[]).dir(&workspace.root);
            tests.run().context("the native tests did not build")
        },
    )?;
    Ok(())
}

pub(super) fn native(workspace: &Workspace) -> Result<Vec<Suite>> {
    let relay = relay::build(workspace)?;
    let skipped: Vec<_> = LEFT_TO_OTHERS.iter().flat_map(|test| ["--skip", test]).collect();
    let python = python::environment(workspace, "http-api", "examples/http-api/requirements.txt")?;
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    Ok(vec![
        Suite::summed(
            native_tests(&[], &skipped)
                .env("RUST_TEST_THREADS", cores.max(WAITING_TESTS).to_string())
                .env("SEALWIRE_TEST_RELAY", relay)
                .env("SEALWIRE_TEST_PYTHON", python.join("python3"))
                .env("SEALWIRE_TEST_CADDY", python::tools(workspace)?.join("caddy"))
                .env(nats::VARIABLE, nats::server(workspace)?),
        ),
        Suite::summed(cargo::command(["test", "--quiet", "--locked", "--package", XTASK])),
        Suite::summed(bench::instruction_counts(workspace, "check")?),
    ])
}

pub(super) fn attacks(workspace: &Workspace) -> Result<Vec<Suite>> {
    strace::ensure()?;
    // Debug assertions would distort the latencies under attack.
    let relay = relay::build_quick(workspace)?;
    // Each of these tests measures bystanders, which the attackers of another test would delay.
    let command = native_tests(&ATTACKS, &["--nocapture", "--test-threads=1"])
        .env("SEALWIRE_TEST_RELAY", relay)
        .env(nats::VARIABLE, nats::server(workspace)?);
    Ok(vec![Suite { shown: Some(" cases, "), ..Suite::summed(command) }])
}

pub(super) fn chaos(workspace: &Workspace) -> Result<Vec<Suite>> {
    iproute::ensure()?;
    let relay = relay::build_quick(workspace)?;
    // One run at a time, since the processes of another would delay it.
    let command = native_tests(&["chaos"], &["--nocapture", "--test-threads=1"])
        .env("SEALWIRE_TEST_RELAY", relay)
        .env(nats::VARIABLE, nats::server(workspace)?);
    Ok(vec![Suite { shown: Some("chaos: "), ..Suite::summed(command) }])
}

pub(super) fn fuzz(workspace: &Workspace) -> Result<Vec<Suite>> {
    let mut suites = vec![Suite::summed(native_tests(&["corpus"], &[]))];
    match fuzz::missing()? {
        Some(missing) => step::skipping(missing),
        None => {
            for target in fuzz::targets(workspace)? {
                let command = fuzz::command(workspace, &target, FUZZ_SECONDS)?.stderr_to_stdout();
                suites.push(Suite { counted: Counted::AsOne, ..Suite::summed(command) });
            }
        }
    }
    Ok(suites)
}

pub(super) fn wasm_node(workspace: &Workspace) -> Result<Vec<Suite>> {
    Ok(vec![Suite::summed(wasm(workspace)?.env("WASM_BINDGEN_TEST_ONLY_NODE", "1"))])
}

pub(super) fn wasm_chromium(workspace: &Workspace) -> Result<Vec<Suite>> {
    let chromium = Chromium::open()?;
    let command = wasm(workspace)?
        .env("WASM_BINDGEN_USE_BROWSER", "1")
        .env("WASM_BINDGEN_TEST_ONLY_WEB", "1")
        .env("WASM_BINDGEN_TEST_TIMEOUT", "120")
        .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "30")
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", chromium.capabilities(workspace)?)
        .env("CHROMEDRIVER", chromium.driver);
    Ok(vec![Suite::summed(command)])
}

/// Returns the command that runs the wasm tests. The caller chooses Node.js or a browser through variables.
fn wasm(workspace: &Workspace) -> Result<Expression> {
    let packages = tested_in_wasm(workspace)?;
    let mut arguments = vec!["test", "--locked", "--no-fail-fast", "--tests", "--target", TARGET];
    arguments.extend(packages.iter().flat_map(|package| ["--package", package]));
    arguments.extend(["--features", "sealwire-sdk-wasm/browser,sealwire-sdk-wasm/resolver"]);
    Ok(toolchain::with_target(workspace)?
        .cargo(arguments)
        .env("CARGO_TARGET_DIR", workspace.target.join("wasm-test"))
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner::build(workspace)?))
}

/// Returns the crates that depend on wasm-bindgen-test. The tests of others cannot run as WebAssembly.
fn tested_in_wasm(workspace: &Workspace) -> Result<Vec<String>> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    Ok(workspace
        .crates()?
        .iter()
        .filter(|package| list(&package["dependencies"]).iter().any(|one| one["name"] == "wasm-bindgen-test"))
        .filter_map(|package| package["name"].as_str().map(str::to_owned))
        .collect())
}

pub(super) fn plain_js(workspace: &Workspace) -> Result<Vec<Suite>> {
    let vectors = node_test(workspace, &["tests/vectors/plain-js.test.mjs"])?;
    let rewriting = ["similar-order", "wide-accesses", "wide-comparisons"]
        .map(|name| format!("xtask/js/{name}.test.mjs"));
    let rewriting = node_test(workspace, &rewriting.each_ref().map(String::as_str))?;
    let growth = node_test(workspace, &["xtask/js/memory-growth.test.mjs"])?;
    Ok(vec![
        Suite::summed(rewriting),
        Suite::summed(vectors.env("SEALWIRE_VECTORS_CORE", core::vectors(workspace)?)),
        Suite::summed(growth.env("SEALWIRE_BUILT_CORES", core::memory_growth(workspace)?)),
    ])
}

pub(super) fn js(workspace: &Workspace) -> Result<Vec<Suite>> {
    core::build(workspace)?;
    Ok(vec![
        Suite::summed(script("test", "js")),
        Suite::summed(node_test(
            workspace,
            &[
                "tests/vectors/independent.test.mjs",
                "tests/vectors/independent-entries.test.mjs",
                "tests/vectors/independent-name-tags.test.mjs",
            ],
        )?),
    ])
}

pub(super) fn examples(workspace: &Workspace) -> Result<Vec<Suite>> {
    package::build(workspace)?;
    let relay = relay::build(workspace)?;
    let test = |folder: String| Suite::summed(script("test", &folder).env("SEALWIRE_TEST_RELAY", &relay));
    Ok(npm::examples_with(workspace, "test")?.into_iter().map(test).collect())
}

pub(super) fn packaging(workspace: &Workspace) -> Result<Vec<Suite>> {
    let tarball = package::build(workspace)?;
    let chromium = Chromium::open()?;
    let relay = env::join_paths(package::build_relay_for_tests(workspace)?)?;
    let tests = script("test", "tests/packaging").env("CHROMIUM", chromium.browser);
    let tests = tests.env("SEALWIRE_TEST_RELAY", relay::build(workspace)?);
    Ok(vec![Suite::summed(tests.env("SEALWIRE_TARBALL", tarball).env("SEALWIRE_TEST_RELAY_TARBALLS", relay))])
}

pub(super) fn e2e(workspace: &Workspace) -> Result<Vec<Suite>> {
    let chromium = Chromium::open()?;
    // Most of these tests wait for timers of a relay or a page: two files at once use 0.6 of a core.
    let tests = pages_tests(workspace, |file| !file.starts_with(ENGINES), 3)?;
    Ok(vec![Suite::summed(tests.env("CHROMIUM", chromium.headless_shell()))])
}

pub(super) fn engines(workspace: &Workspace) -> Result<Vec<Suite>> {
    let engines = Engines::open()?;
    // Each file starts three browsers.
    let tests = pages_tests(workspace, |file| file.starts_with(ENGINES), 1)?;
    Ok(vec![Suite::summed(
        engines.variables().into_iter().fold(tests, |tests, (name, path)| tests.env(name, path)),
    )])
}

/// Returns the command that runs the chosen files of `tests/e2e`, so many at once: tests of the built package in browsers.
fn pages_tests(workspace: &Workspace, chosen: fn(&str) -> bool, at_once: u8) -> Result<Expression> {
    package::build(workspace)?;
    let tests: Vec<_> = files::below(&workspace.root.join("tests/e2e"))
        .into_iter()
        .filter_map(|file| Some(file.strip_prefix(&workspace.root).ok()?.to_str()?.to_owned()))
        .filter(|file| file.ends_with(".test.mjs") && chosen(file))
        .collect();
    let tests: Vec<_> = tests.iter().map(String::as_str).collect();
    let at_once = format!("--test-concurrency={at_once}");
    let command = node_test(workspace, &[&[at_once.as_str()], &*tests].concat())?;
    Ok(command.env("SEALWIRE_TEST_RELAY", relay::build(workspace)?))
}

pub(super) fn demo(workspace: &Workspace) -> Result<Vec<Suite>> {
    let chromium = Chromium::open()?;
    [(false, false), (true, false), (false, true)]
        .into_iter()
        .map(|(unsafe_eval, cluster)| {
            let options = Options { check: true, unsafe_eval, cluster, ..Options::default() };
            let command = demo::command(workspace, &options)?.env("CHROMIUM", &chromium.browser);
            Ok(Suite { command, counted: Counted::AsOne, shown: None })
        })
        .collect()
}

/// Returns `node --test` with files of this repository. Fails if a file is missing.
fn node_test(workspace: &Workspace, arguments: &[&str]) -> Result<Expression> {
    npm::install(workspace)?;
    let mut files = arguments.iter().filter(|argument| !argument.starts_with("--")).peekable();
    ensure!(files.peek().is_some(), "there are no test files");
    for file in files {
        ensure!(Path::new(&workspace.root).join(file).exists(), "{file} is missing");
    }
    Ok(duct::cmd("node", ["--test", "--test-reporter=spec"].iter().chain(arguments)))
}

/// Returns the command that runs a script of an npm workspace.
fn script(name: &str, folder: &str) -> Expression {
    duct::cmd!("npm", "run", "--silent", name, format!("--workspace={folder}"))
}
