//! Drives [`strongroom_fuzz::key_update_body`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::key_update_body(input));
