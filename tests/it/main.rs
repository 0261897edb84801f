//! The built binary, seen from outside: a file for each promise.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

mod client;
mod fixtures;
mod proxy;
mod upstream;
mod wire;

mod auth;
mod check;
mod config;
mod echo;
mod forward;
mod h2;
mod harness;
mod ingest;
mod lossless;
mod ops;
mod routing;
mod rules;
mod sockets;
mod stream;
