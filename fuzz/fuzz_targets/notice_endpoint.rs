//! Drives [`strongroom_fuzz::notice_endpoint`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::notice_endpoint(input));
