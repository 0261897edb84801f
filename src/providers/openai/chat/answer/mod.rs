//! Whole answers.
mod finish;
mod read;
mod write;

pub(super) use self::finish::read_finish;
pub(in crate::providers::openai) use self::finish::write_finish;
pub(super) use self::read::{blocks, citations};
pub use self::read::{read_answer, read_error};
pub use self::write::write_answer;
pub(super) use self::write::{answer_id, write_audio, write_citation};
