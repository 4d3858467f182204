//! Runs every target on the corpus, without a fuzzer.
#![allow(clippy::unwrap_used)]

use sealwire_fuzz_targets::TARGETS;
use std::{fs, path::Path};

#[test]
fn every_input_of_the_corpus_passes_its_target() {
    let corpus = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../corpus"));
    let mut folders: Vec<String> = fs::read_dir(corpus)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    assert_eq!(folders, TARGETS.map(|(name, _)| name));
    for (name, target) in TARGETS {
        let inputs = fs::read_dir(corpus.join(name)).unwrap();
        let count = inputs.map(|input| target(&fs::read(input.unwrap().path()).unwrap())).count();
        assert!(count >= 5, "{name} has {count} inputs");
    }
}
