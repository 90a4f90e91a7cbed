//! Drives [`strongroom_fuzz::directory_filter`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::directory_filter(input));
