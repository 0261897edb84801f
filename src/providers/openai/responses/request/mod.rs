//! Requests.
mod content;
mod conversation;
mod hosted;
mod input;
mod items;
mod read;
mod tools;
mod write;

pub use self::read::read_request;
pub use self::write::write_request;
