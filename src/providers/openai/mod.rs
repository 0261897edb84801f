//! OpenAI: chat completions, completions, embeddings, responses.
pub mod embeddings;
mod error;
mod images;
mod request;

pub use self::error::{error_body, response_error_event};
pub use self::images::{RemoteImage, data_url, remote_images, with_images};
pub use self::request::{EditPlan, Edited, edited};
