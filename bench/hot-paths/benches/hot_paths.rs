//! Times the hot paths: `cargo bench -p sealwire-hot-paths`.

use divan::Bencher;
use sealwire_hot_paths::{NAMES, prepare};

fn main() {
    divan::main();
}

#[divan::bench(args = NAMES)]
fn hot_path(bencher: Bencher<'_, '_>, name: &str) {
    let Some(mut path) = prepare(name) else { return };
    bencher.bench_local(|| (path.work)());
}
