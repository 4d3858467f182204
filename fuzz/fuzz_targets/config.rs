//! The fuzzer's program for the target `config`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| sealwire_fuzz_targets::config(data));
