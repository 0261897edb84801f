//! Requests in the shape of those that coding tools send: all of each one reaches every provider.
//!
//! `tests/wire/tools` holds the second request of a conversation in which a file was read. Members,
//! nesting and types are the tools' own, every text is ours. `tests/sdk/python/test_coding_tools.py`
//! runs the tools themselves.
use super::golden::folder;
use super::prompt::{self, Piece};
use super::requests::{TARGETS, Written};
use super::setup::translated;
use bartizan::providers::translate::{Protocol, Translation};
use serde_json::Value;

/// Each tool, what it speaks, and the names that its tools have where there are no namespaces.
const TOOLS: [(&str, Protocol, &[&str]); 5] = [
    ("claude-code", Protocol::Messages, &["Read", "Bash", "Report", "ToolSearch", "Later"]),
    (
        "codex",
        Protocol::Responses,
        &["exec_command", "view_image", "agents_v1__close_agent", "agents_v1__send_input"],
    ),
    (
        "codex-added",
        Protocol::Responses,
        &["functions__exec", "functions__wait", "agents__spawn_agent", "agents__list_agents"],
    ),
    ("gemini-cli", Protocol::Gemini, &["read_file", "list_directory", "end_plan"]),
    ("opencode", Protocol::Chat, &["read", "todowrite", "webfetch"]),
];

/// A tool's request; for a provider; and what is told to be lost of it.
fn asked(
    (tool, client, _): (&str, Protocol, &[&str]),
    to: (Protocol, &str, &str),
) -> (Value, Value, Vec<String>) {
    let path = folder().join("tools").join(tool).with_extension("json");
    let given = std::fs::read(path).expect("a request");
    let translation = Translation { client, provider: to.0 };
    let made = translated(translation, &given, (to.1, to.2), false);
    let made = made.unwrap_or_else(|error| panic!("{tool} to {}: {error}", to.2));
    let json = |bytes: &[u8]| serde_json::from_slice(bytes).expect("JSON");
    let dropped = made.reply.dropped().unwrap_or_default();
    let dropped = dropped.split(", ").filter(|name| !name.is_empty()).map(str::to_owned);
    (json(&given), json(&made.body), dropped.collect())
}

#[test]
fn all_tools_and_results_of_a_coding_tool_reach_every_provider() {
    let mut wrong = Vec::new();
    for tool in TOOLS {
        for to in TARGETS.into_iter().filter(|to| to.0 != tool.1) {
            let (given, made, _) = asked(tool, to);
            let mut pieces = prompt::read(tool.1, &given).pieces;
            // Told above by the names that they have on the other side.
            pieces.retain(|piece| !matches!(piece, Piece::Name(_)));
            pieces.extend(tool.2.iter().map(|name| Piece::Name((*name).to_owned())));
            pieces.push(Piece::Text("the word is marigold".to_owned()));
            let written = Written::of(&made);
            let lost = pieces.iter().filter(|piece| !written.has(piece));
            wrong.extend(lost.map(|piece| format!("{} to {}: {piece:?}", tool.0, to.2)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_that_a_coding_tool_needs_is_named_as_lost() {
    for tool in TOOLS {
        for to in TARGETS.into_iter().filter(|to| to.0 != tool.1) {
            let (.., dropped) = asked(tool, to);
            let needed = dropped.iter().filter(|name| {
                let search = ["tools.web_search", "tools"].contains(&name.as_str());
                let of_prompt = name.starts_with("messages.content") || name.starts_with("tools");
                of_prompt && !(tool.0 == "codex" && search)
            });
            let needed: Vec<&String> = needed.collect();
            assert!(needed.is_empty(), "{} to {}: {needed:?}", tool.0, to.2);
        }
    }
}
