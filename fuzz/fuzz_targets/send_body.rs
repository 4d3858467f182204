//! The fuzzer's program for the target `send_body`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| sealwire_fuzz_targets::send_body(data));
