//! Drives [`strongroom_fuzz::sign_in_claims`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::sign_in_claims(input));
