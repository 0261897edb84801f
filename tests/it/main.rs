//! The built binary, seen from outside: a file for each promise.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends here")]
mod rules;
