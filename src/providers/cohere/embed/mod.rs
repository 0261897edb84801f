//! Embeddings. OpenAI's words stand between those of clients and those of providers.
mod client;
mod provider;

pub use self::client::{Version, echo, read_asked, write_told};
pub use self::provider::{read_embed, write_embed};
