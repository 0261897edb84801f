//! The built binary, seen from outside: a file for each promise.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

mod client;
mod fixtures;
mod proxy;
mod upstream;
mod wire;

mod addresses;
mod auth;
mod caching;
mod check;
mod cli;
mod config;
mod configs;
mod cve;
mod documented;
mod echo;
mod elsewhere;
mod exec;
mod forward;
mod h2;
mod harness;
mod images;
mod ingest;
mod limits;
mod lossless;
mod mocks;
mod operations;
mod ops;
mod pass_through;
mod realtime;
mod recorded;
mod regression;
mod reload;
mod resilience;
mod resources;
mod routes;
mod routing;
mod rules;
mod secrets;
mod several;
mod sockets;
mod stream;
mod tls;
mod uploads;
