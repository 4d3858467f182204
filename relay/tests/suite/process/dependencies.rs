//! The dependencies of the relay.

use std::process::Command;

#[test]
fn the_relay_is_built_without_decryption_code() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", "sealwire-relay", "--edges", "normal,build,features"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.contains("sealwire-protocol v"), "{tree}");
    // The generators of random numbers of `rand`, which the clients of NATS and of traces use. Without its feature `cipher`,
    // the crate `chacha20` is one of them.
    assert!(!tree.contains("chacha20 feature \"cipher\""), "{tree}");
    let tree = tree.replace("rand_chacha", "").replace("chacha20", "");
    for sealing in ["xaes", "aes", "gcm", "hkdf", "chacha", "sealing", "canonicalizer"] {
        assert!(!tree.contains(sealing), "{sealing}:\n{tree}");
    }
}
