//! Drives [`strongroom_fuzz::directory_body`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::directory_body(input));
