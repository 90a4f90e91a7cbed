//! Drives [`strongroom_fuzz::issuer_key_set`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::issuer_key_set(input));
