//! The built binary, seen from outside: a file for each promise.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

mod client;
mod fixtures;
mod proxy;
mod upstream;
mod wire;

mod addresses;
mod auth;
mod check;
mod config;
mod cve;
mod echo;
mod elsewhere;
mod forward;
mod h2;
mod harness;
mod images;
mod ingest;
mod lossless;
mod ops;
mod realtime;
mod reload;
mod routing;
mod rules;
mod sockets;
mod stream;
