//! Drives [`strongroom_fuzz::other_name`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::other_name(input));
