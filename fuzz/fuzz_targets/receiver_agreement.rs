//! Drives [`strongroom_fuzz::receiver_agreement`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::receiver_agreement(input));
