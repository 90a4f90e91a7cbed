//! Drives [`strongroom_fuzz::key_other_body`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::key_other_body(input));
