//! Drives [`strongroom_fuzz::container_name`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::container_name(input));
