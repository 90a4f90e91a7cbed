//! Drives [`strongroom_fuzz::data_plane_target`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::data_plane_target(input));
