//! Drives [`strongroom_fuzz::acme_retry_after`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::acme_retry_after(input));
