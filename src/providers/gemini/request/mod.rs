//! Requests.
mod config;
mod contents;
mod pieces;
mod read;
mod settings;
mod turns;
mod write;

pub use self::read::read_request;
pub use self::write::write_request;
