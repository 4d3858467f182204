//! The stages of `cargo xtask test`.

use super::{Stage, schedules, suites};

pub(super) const STAGES: &[Stage] = &[
    Stage {
        name: "native",
        about: "unit, property, vector and process tests of every crate; instruction counts",
        prepare: suites::native,
    },
    Stage {
        name: "attacks",
        about: "attacks on a running relay and on a cluster, RFC 6455, no write to disk",
        prepare: suites::attacks,
    },
    Stage {
        name: "chaos",
        about: "relays, NATS servers and clients under faults, each message checked; `cargo xtask chaos` runs longer",
        prepare: suites::chaos,
    },
    Stage {
        name: "fuzz",
        about: "the kept corpus of the fuzzer; each target for a minute if the fuzzer is installed",
        prepare: suites::fuzz,
    },
    Stage {
        name: "schedules",
        about: "client and relay under seeded schedules; SEALWIRE_SCHEDULES and SEALWIRE_LYING_SCHEDULES are their numbers",
        prepare: schedules::schedules,
    },
    Stage {
        name: "wasm-node",
        about: "the crates of the core as WebAssembly in Node.js",
        prepare: suites::wasm_node,
    },
    Stage {
        name: "wasm-chromium",
        about: "the crates of the core as WebAssembly in Chromium",
        prepare: suites::wasm_chromium,
    },
    Stage {
        name: "plain-js",
        about: "the core as plain JavaScript: vectors, growth of memory",
        prepare: suites::plain_js,
    },
    Stage {
        name: "js",
        about: "unit tests of the TypeScript; the vectors with Node's own crypto",
        prepare: suites::js,
    },
    Stage {
        name: "examples",
        about: "the tests of every example: functions, pages, manifests, the local host",
        prepare: suites::examples,
    },
    Stage {
        name: "packaging",
        about: "the packed tarball in Node.js, bundlers (Forge's among them), compilers and test runners",
        prepare: suites::packaging,
    },
    Stage { name: "e2e", about: "relay, resolver and pages in Chromium", prepare: suites::e2e },
    Stage {
        name: "engines",
        about: "gadgets of another site in Chromium, Firefox and WebKit, with and without storage",
        prepare: suites::engines,
    },
    Stage {
        name: "demo",
        about: "the demo without and with WebAssembly, and on a cluster whose processes are killed",
        prepare: suites::demo,
    },
];
