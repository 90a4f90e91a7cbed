//! Drives [`strongroom_fuzz::external_claims`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::external_claims(input));
