//! Drives [`strongroom_fuzz::key_rotation_policy_body`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::key_rotation_policy_body(input));
