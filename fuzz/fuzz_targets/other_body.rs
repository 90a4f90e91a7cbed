//! Drives [`strongroom_fuzz::other_body`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::other_body(input));
