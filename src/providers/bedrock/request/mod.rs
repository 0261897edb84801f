//! What a client asks, in Converse's words.
mod content;
mod documents;
mod fields;
mod format;
mod media;
mod names;
mod thinking;
mod tools;
mod turns;
mod write;

pub use self::fields::more_fields;
pub use self::write::write_request;
