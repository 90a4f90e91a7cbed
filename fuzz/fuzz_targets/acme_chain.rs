//! Drives [`strongroom_fuzz::acme_chain`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::acme_chain(input));
