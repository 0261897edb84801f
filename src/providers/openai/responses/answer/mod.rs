//! Whole answers.
mod called;
mod citation;
mod ending;
mod envelope;
mod error;
mod item;
mod output;
mod read;
mod write;

pub(super) use self::called::Called;
pub(super) use self::citation::write as write_citation;
pub(super) use self::citation::{read as read_citations, read_one as read_citation};
pub(super) use self::ending::{Ending, read_ending};
pub(super) use self::envelope::Envelope;
pub use self::envelope::response_id;
pub use self::error::read_error;
pub(super) use self::item::{Customs, blocks, logprobs, thought};
pub(super) use self::output::{image, message, reasoning, refusal_part, text_part};
pub use self::read::read_answer;
pub use self::write::write_answer;
