//! Drives [`strongroom_fuzz::audit_export`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::audit_export(input));
