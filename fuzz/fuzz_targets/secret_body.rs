//! Drives [`strongroom_fuzz::secret_body`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| strongroom_fuzz::secret_body(input));
