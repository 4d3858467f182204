//! The fuzzer's program for the target `shared_revocation`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| sealwire_fuzz_targets::shared_revocation(data));
