//! Drives [`strongroom_fuzz::certification_request`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::certification_request(input));
