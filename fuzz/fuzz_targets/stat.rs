#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| outro_fuzz::targets::stat(data));
