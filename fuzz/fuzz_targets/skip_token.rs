//! Drives [`strongroom_fuzz::skip_token`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::skip_token(input));
