//! Drives [`strongroom_fuzz::certificate_subject`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::certificate_subject(input));
