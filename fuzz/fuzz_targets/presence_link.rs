//! The fuzzer's program for the target `presence_link`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| sealwire_fuzz_targets::presence_link(data));
