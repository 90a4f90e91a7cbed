//! Drives [`strongroom_fuzz::issuer_discovery`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::issuer_discovery(input));
