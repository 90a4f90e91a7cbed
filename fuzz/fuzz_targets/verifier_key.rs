//! Drives [`strongroom_fuzz::verifier_key`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::verifier_key(input));
