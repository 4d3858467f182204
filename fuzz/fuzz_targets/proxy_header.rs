//! The fuzzer's program for the target `proxy_header`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| sealwire_fuzz_targets::proxy_header(data));
