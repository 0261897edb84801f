//! The neutral chat model: what a call to a model and its answer say, in nobody's words.
//!
//! A client's dialect reads its request into a [`Request`]; a provider's writes that in its own
//! words. On the way back the provider's dialect reads an [`Answer`], or a stream of [`Event`]s, and
//! the client's writes them. So a dialect knows this model and no other dialect. Where both sides
//! speak the same one, nothing of this runs: bytes pass as they are.
mod answer;
mod arguments;
mod block;
mod calls;
mod event;
pub mod fields;
mod ids;
mod json;
mod media;
mod offer;
mod proof;
mod request;
mod target;
mod writing;

pub use self::answer::{Answer, Choice, Finish};
pub use self::block::{
    Block, Citation, Content, Media, MediaKind, Source, Thought, ToolResult, ToolUse,
};
pub use self::calls::{Call, Calls};
pub use self::event::{Event, InBand, Read, Write};
pub use self::ids::Ids;
pub use self::json::{Taking, object, parsed, read, text_of, whole};
pub use self::media::{picture_type, source_of_url};
pub use self::offer::offered;
pub use self::proof::{
    is_of_google, is_of_openai, signed_id, split_proof, standard_base64, unsigned_id,
};
pub use self::request::{
    Format, Function, Qualified, Request, Role, Sampling, Thinking, Tool, ToolChoice, Turn,
};
pub use self::target::{Client, Elapsed, Lost, Malformed, Memo, Target, Unreadable, Written};
pub use self::writing::{write_text, write_value, written};
