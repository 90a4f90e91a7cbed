//! Drives [`strongroom_fuzz::pkcs12_file`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::pkcs12_file(input));
