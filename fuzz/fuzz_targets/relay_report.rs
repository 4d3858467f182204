//! The fuzzer's program for the target `relay_report`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| sealwire_fuzz_targets::relay_report(data));
