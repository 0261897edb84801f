//! How many tokens a prompt has.
use serde_json::{Map, Value};

/// What Google counts of a request. It refuses the rest.
const COUNTED: [&str; 4] = ["contents", "systemInstruction", "tools", "generationConfig"];

/// Makes a request of Gemini's one that counts its tokens.
pub fn count_gemini(body: &mut Map<String, Value>) {
    body.retain(|name, _| COUNTED.contains(&name.as_str()));
}

/// Makes a request of Anthropic's one that counts its tokens for the model of this `name`: here it
/// stands in the body, since the path names none.
pub fn count_claude(body: &mut Map<String, Value>, name: &str) {
    super::fit_claude(body);
    body.insert("model".to_owned(), name.into());
}
