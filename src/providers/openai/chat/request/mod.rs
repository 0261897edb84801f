//! Requests.
mod content;
mod history;
mod read;
mod tools;
mod turns;
mod write;

pub(super) use self::history::{read as history_of, texts};
pub use self::read::read_request;
pub(super) use self::turns::{arguments, calls, signature_of};
pub use self::write::write_request;
