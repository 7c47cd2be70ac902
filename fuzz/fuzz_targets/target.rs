//! Every fuzz target: the binary's own name says which body it runs.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tollgate_fuzz::run(env!("CARGO_BIN_NAME"), data));
