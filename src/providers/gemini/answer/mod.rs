//! Whole answers.
mod read;
mod write;

pub(crate) use self::read::is_blocked;
pub use self::read::read_answer;
pub use self::write::write_answer;
pub(crate) use self::write::{call_part, media_part, sealed_part};
