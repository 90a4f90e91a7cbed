//! Drives [`strongroom_fuzz::signed_note`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::signed_note(input));
