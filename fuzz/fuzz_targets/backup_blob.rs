//! Drives [`strongroom_fuzz::backup_blob`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::backup_blob(input));
