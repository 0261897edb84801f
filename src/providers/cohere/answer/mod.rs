//! What a model answered, read from Cohere's words and written in them.
mod finish;
mod logprobs;
mod read;
mod write;

pub(crate) use self::finish::{read_finish, write_finish};
pub(crate) use self::logprobs::{read_logprobs, write_logprobs};
pub use self::read::read_answer;
pub(crate) use self::read::read_message;
pub use self::write::write_answer;
