//! Drives [`strongroom_fuzz::version_id`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::version_id(input));
