//! No configuration text makes the parser panic.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    drop(bartizan::config::parse_str(text));
});
