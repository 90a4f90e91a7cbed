//! Drives [`strongroom_fuzz::host_name`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::host_name(input));
