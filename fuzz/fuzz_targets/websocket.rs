//! The fuzzer's program for the target `websocket`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| sealwire_fuzz_targets::websocket(data));
