//! Drives [`strongroom_fuzz::hsm_role_assignment_body`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::hsm_role_assignment_body(input));
