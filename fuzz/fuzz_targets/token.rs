//! The fuzzer's program for the target `token`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| sealwire_fuzz_targets::token(data));
