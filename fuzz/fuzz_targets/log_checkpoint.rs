//! Drives [`strongroom_fuzz::log_checkpoint`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::log_checkpoint(input));
