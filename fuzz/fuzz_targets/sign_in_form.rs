//! Drives [`strongroom_fuzz::sign_in_form`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::sign_in_form(input));
