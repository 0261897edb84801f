//! OpenAI: chat completions, completions, embeddings, responses.
pub mod chat;
pub mod completions;
pub mod embeddings;
mod error;
mod fitting;
mod request;
pub mod responses;

pub use self::error::{error_body, response_error_event};
pub use self::request::{EditPlan, Edited, NotEdited, edited, is_litellm_field};
