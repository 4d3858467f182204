//! Checks that the pages in docs/ agree with the code.
#![allow(clippy::unwrap_used)]

use sealwire_protocol::Code;
use std::path::Path;

#[test]
fn the_protocol_page_lists_every_code_with_its_close_code_and_retry() {
    let page = include_str!("../../docs/protocol.md");
    let rows: Vec<_> = page.lines().filter(|line| line.contains("` | 4")).collect();
    assert_eq!(rows.len(), Code::ALL.len());
    for (row, code) in rows.into_iter().zip(Code::ALL) {
        let again = if code.retryable() { "yes" } else { "no" };
        let start =
            format!("| {} | `{}` | {} | {again} | ", code.number(), code.name(), code.close_code() as u16);
        assert!(row.starts_with(&start), "{row}\n{start}");
    }
}

/// Appends all Rust and JavaScript sources below a folder to `found`.
fn sources(folder: &Path, found: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().map_while(Result::ok) {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if path.is_dir() && !["target", "node_modules", "dist"].contains(&&*name) && !name.starts_with('.') {
            sources(&path, found);
        } else if [".rs", ".mjs", ".ts", ".tsx"].iter().any(|ending| name.ends_with(ending)) {
            found.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_test_that_the_security_page_names_exists() {
    let mut tests = String::new();
    sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")), &mut tests);
    let page = include_str!("../../docs/security.md");
    let rows = |header: &str| {
        let rows = page.split_once(header).unwrap().1.lines().skip(2);
        rows.take_while(|line| line.starts_with("| "))
    };
    let mut named = 0;
    let lies = rows("| the relay | noticed | the app sees | proved by |");
    for row in rows("| claim | proved by |").chain(lies) {
        let proofs = row.trim_end_matches('|').rsplit_once(" | ").unwrap().1;
        for name in proofs.split('`').skip(1).step_by(2) {
            named += 1;
            let rust = format!("fn {name}(");
            let quoted = ['\'', '"', '`'].map(|quote| format!("test({quote}{name}"));
            let spread = ['\'', '"', '`'].map(|quote| format!("  {quote}{name}"));
            let exists =
                tests.contains(&rust) || quoted.iter().chain(&spread).any(|text| tests.contains(text));
            assert!(exists, "no test is named '{name}'");
        }
    }
    assert!(named > 30, "the page names only {named} tests");
}

#[test]
fn the_security_page_says_where_every_field_goes() {
    let page = include_str!("../../docs/security.md");
    let contract = include_str!("../../protocol/proto/sealwire/v1/realtime.proto");
    let sent = [
        "Hello",
        "Refresh",
        "Channel",
        "Position",
        "Subscribe",
        "Unsubscribe",
        "Publish",
        "Session",
        "PresenceEnter",
        "PresenceLeave",
        "PresenceWatch",
        "PresenceUnwatch",
    ];
    let mut fields = 0;
    for message in sent {
        let (_, body) = contract.split_once(&format!("message {message} {{\n")).unwrap();
        let (body, _) = body.split_once("\n}").unwrap();
        for line in body.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            let Some((declaration, _)) = line.split_once(" = ") else { continue };
            let name = declaration.rsplit_once(' ').unwrap().1;
            assert!(page.contains(&format!("`{message}.{name}`")), "{message}.{name} is not on the page");
            fields += 1;
        }
    }
    assert!(fields > 15, "the contract has only {fields} fields");
    let api: serde_json::Value =
        serde_json::from_str(include_str!("../../protocol/openapi/relay.json")).unwrap();
    for name in api["components"]["schemas"]["Message"]["properties"].as_object().unwrap().keys() {
        assert!(page.contains(&format!("`{name}`")), "{name} is not on the page");
    }
}
