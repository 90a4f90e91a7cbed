//! Drives [`strongroom_fuzz::calendar_duration`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::calendar_duration(input));
