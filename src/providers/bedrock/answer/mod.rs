//! What a model answered, in Converse's words.
mod block;
mod finish;
mod read;

pub(super) use self::block::{media, redacted};
pub(super) use self::finish::read_finish;
pub use self::read::read_answer;
