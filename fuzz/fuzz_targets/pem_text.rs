//! Drives [`strongroom_fuzz::pem_text`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::pem_text(input));
