//! Members of OpenAI's clients that Ollama has no place for.
use crate::providers::chat::{Lost, Taking};
use serde_json::{Map, Value};

/// Those that the answer does not depend on.
const HINTS: [&str; 7] = [
    "store",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "stream_options",
];

/// Tells a hint that is left out, if it is there.
pub(super) fn note(is_there: bool, name: &'static str, lost: &mut Lost) {
    if is_there {
        lost.hint(name);
    }
}

/// Takes such members out of `rest`, and tells which there were.
pub(super) fn leave_out(rest: &mut Map<String, Value>, lost: &mut Lost) {
    for name in HINTS {
        note(rest.take(name).is_some(), name, lost);
    }
    if rest.take_text("verbosity").is_some_and(|verbosity| verbosity != "medium") {
        lost.part("verbosity");
    }
    if rest.take_array("modalities").iter().any(|kind| kind != "text") {
        lost.part("modalities");
    }
    for name in ["audio", "web_search_options"] {
        if rest.take(name).is_some() {
            lost.part(name);
        }
    }
}
