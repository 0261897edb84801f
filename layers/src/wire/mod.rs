//! What the OpenAI, Anthropic and Gemini wires say, learned without touching their bytes.
//!
//! The parts, from the bottom up:
//! - [`text`] holds a request in the frames in which it came, with a short outline of it.
//! - [`scan`] reads the top level of a request and [`splice`] edits it; all else stays as it was.
//! - [`form`] finds the fields of an upload without holding its files.
//! - [`sse`] reads events from frames that are cut anywhere.
//! - [`eventstream`] reads AWS's messages likewise, and their checksums.
//! - [`tap`] learns usage, content, errors and endings from an answer that passes.
//! - [`websocket`] reads text messages from frames that are cut anywhere.
//! - [`body`] wraps an answer's body in a tap and keeps it truthful.
//! - [`peek`] holds an answer back until it may no longer be replaced.
//! - [`cause`] finds out why a provider failed.
//! - [`estimate`] guesses what a request may take.
//! - [`key`] makes a cache's key of a request, and reads what it says about caches.
//! - [`replay`] tells a whole answer as a stream, and a stream as a whole answer.
//!
//! Two layers are made of them: [`ingest`] reads a request, [`usage_tap`] its answer.
//!
//! A request in, an answer out:
//! ```
//! use bartizan_layers::wire::{
//!     scan::scan,
//!     splice::{Splice, UsageAsk},
//!     tap::{Framing, Tap, Wire},
//!     text::Text,
//! };
//! use bytes::Bytes;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let request = Text::from(Bytes::from(r#"{"model":"fast","stream":true,"messages":[]}"#));
//! let object = scan(request.outline())?;
//! let mut splice = Splice::new(&object);
//! splice.replace(object.index("model")?.ok_or("no model")?, r#""gpt-4o-mini""#);
//! let ours = splice.ask_for_usage()? == UsageAsk::ByUs;
//! assert!(splice.bytes(&request).starts_with(br#"{"model":"gpt-4o-mini","stream":true"#));
//!
//! let mut tap = Tap::new(Wire::Chat, Framing::Events);
//! if ours {
//!     tap = tap.take_out_usage_event();
//! }
//! tap.push("data: [DONE]\n\n".into());
//! assert!(tap.is_complete());
//! # Ok(())
//! # }
//! ```
pub mod body;
pub mod cause;
mod endpoint;
pub mod estimate;
pub mod eventstream;
pub mod form;
pub mod ingest;
pub mod key;
mod media;
pub mod peek;
mod prices;
pub mod replay;
pub mod scan;
pub mod splice;
pub mod sse;
pub mod tap;
pub mod text;
pub mod usage_tap;
pub mod websocket;

pub use self::media::{is_encoded, is_of_type};
