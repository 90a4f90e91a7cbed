//! Drives [`strongroom_fuzz::request_target`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::request_target(input));
