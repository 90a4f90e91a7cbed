//! Drives [`strongroom_fuzz::proxy_head`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::proxy_head(input));
