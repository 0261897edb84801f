//! What a model answered, in Ollama's words.
mod piece;
mod read;

pub(crate) use self::piece::{Piece, read_finish};
pub use self::read::read_answer;
