//! Google's cloud: models of several makers below one project, each asked in its maker's words.
//!
//! Chats are Gemini's, Anthropic's or OpenAI's dialect, by the model's name ([`Place`]). What differs
//! is where they are asked, and a few members of the body.
mod betas;
mod count;
pub mod embed;
mod place;

pub use self::betas::betas;
pub use self::count::{count_claude, count_gemini};
pub use self::place::{Action, Maker, Place};

use serde_json::{Map, Value};

/// The member by which Claude's requests say which version of Anthropic's dialect they are in, and
/// its value.
const VERSION: (&str, &str) = ("anthropic_version", "vertex-2023-10-16");

/// That member for bodies that are spliced: its name, and its value as JSON text.
pub const VERSION_JSON: (&str, &str) = (VERSION.0, "\"vertex-2023-10-16\"");

/// Makes Anthropic's request one for Claude here: its path names the model, its body the version.
pub fn fit_claude(body: &mut Map<String, Value>) {
    body.shift_remove("model");
    body.insert(VERSION.0.to_owned(), VERSION.1.into());
}
