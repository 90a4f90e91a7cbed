//! Drives [`strongroom_fuzz::certificate_body`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::certificate_body(input));
