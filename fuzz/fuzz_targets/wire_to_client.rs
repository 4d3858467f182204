//! The fuzzer's program for the target `wire_to_client`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| sealwire_fuzz_targets::wire_to_client(data));
