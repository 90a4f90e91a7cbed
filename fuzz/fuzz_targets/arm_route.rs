//! Drives [`strongroom_fuzz::arm_route`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::arm_route(input));
