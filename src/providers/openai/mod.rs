//! OpenAI: chat completions, completions, embeddings, responses.
mod error;
mod request;

pub use self::error::error_body;
pub use self::request::{EditPlan, Edited, edited};
