//! Drives [`strongroom_fuzz::issuer_body`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::issuer_body(input));
