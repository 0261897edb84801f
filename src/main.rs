//! The `bartizan` program.
fn main() {}
