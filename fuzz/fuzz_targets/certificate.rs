//! Drives [`strongroom_fuzz::certificate`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::certificate(input));
