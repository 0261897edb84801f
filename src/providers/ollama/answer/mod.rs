//! What a model answered, read from Ollama's words and written in them.
mod line;
mod piece;
mod read;
mod write;

pub(crate) use self::line::{Form, Line, reason};
pub(crate) use self::piece::{Piece, read_finish};
pub use self::read::read_answer;
pub use self::write::{write_answer, write_generated};
