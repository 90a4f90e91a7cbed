//! Drives [`strongroom_fuzz::moment`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::moment(input));
