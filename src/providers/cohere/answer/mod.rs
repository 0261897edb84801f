//! What a model answered, in Cohere's words.
mod finish;
mod logprobs;
mod read;
mod version_one;

pub(crate) use self::finish::{after_calls, read_finish};
pub(crate) use self::logprobs::read_logprobs;
pub use self::read::read_answer;
pub(crate) use self::version_one::read_calls;
