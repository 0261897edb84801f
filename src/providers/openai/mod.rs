//! OpenAI: chat completions, completions, embeddings, responses.
mod error;
mod request;

pub use self::error::{error_body, response_error_event};
pub use self::request::{EditPlan, Edited, edited};
