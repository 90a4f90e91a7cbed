//! Drives [`strongroom_fuzz::arm_vault_body`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::arm_vault_body(input));
