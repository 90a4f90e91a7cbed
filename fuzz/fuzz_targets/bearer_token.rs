//! Drives [`strongroom_fuzz::bearer_token`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::bearer_token(input));
