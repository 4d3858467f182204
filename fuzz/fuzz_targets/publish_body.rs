//! The fuzzer's program for the target `publish_body`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| sealwire_fuzz_targets::publish_body(data));
