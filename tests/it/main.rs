//! The built binary, seen from outside: a file for each promise.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends here")]
#![allow(clippy::disallowed_methods, reason = "tests read their own environment")]

mod client;
mod proxy;
mod upstream;
mod wire;

mod auth;
mod echo;
mod forward;
mod ingest;
mod sockets;
mod stream;
