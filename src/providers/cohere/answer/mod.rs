//! What a model answered, in Cohere's words.
mod finish;
mod logprobs;
mod read;

pub(crate) use self::finish::read_finish;
pub(crate) use self::logprobs::read_logprobs;
pub use self::read::read_answer;
