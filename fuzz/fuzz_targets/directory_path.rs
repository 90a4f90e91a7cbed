//! Drives [`strongroom_fuzz::directory_path`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::directory_path(input));
