//! Drives [`strongroom_fuzz::acme_address`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::acme_address(input));
