//! Parts of requests for Anthropic that stand elsewhere for others.
use super::{asks, says, written};
use crate::providers::chat::{
    Block, Content, Media, MediaKind, Request, Role, Source, Thought, Tool, Turn,
};
use serde_json::json;

#[test]
fn searches_of_other_clients_are_anthropics() {
    let hosted = [
        json!({"type": "web_search_2025_08_26", "search_context_size": "low",
            "user_location": {"type": "approximate", "city": "Rome"}}),
        json!({"type": "computer_20250124", "name": "computer", "display_width_px": 1}),
        json!({"type": "image_generation"}),
    ];
    let tools = hosted.into_iter().map(Tool::Hosted).collect();
    let request = Request { tools, ..asks(vec![says(Role::User, "x")]) };
    let (written, lost) = written(request, "claude-sonnet-4-5");
    let location = json!({"type": "approximate", "city": "Rome"});
    let search = json!({"type": "web_search_20250305", "name": "web_search",
        "user_location": location, "max_uses": 1});
    assert_eq!(written.body["tools"][0], search);
    assert_eq!(written.headers, [("anthropic-beta", "computer-use-2025-01-24".to_owned())]);
    assert_eq!(lost.parts, ["tools.image_generation"]);
}

#[test]
fn media_is_what_it_is() {
    let media = |kind, source, media_type: Option<&str>| {
        let media_type = media_type.map(str::to_owned);
        let media = Media { kind, source, media_type, name: None, detail: None };
        Block::new(Content::Media(media))
    };
    let blocks = vec![
        media(MediaKind::Image, Source::Url("data:image/png;base64,/9j/4AAQ".into()), None),
        media(MediaKind::Image, Source::Url("https://x/y.png".into()), None),
        media(MediaKind::Document, Source::Base64("aGk=".into()), Some("text/markdown")),
        media(MediaKind::Document, Source::File("file_1".into()), None),
        media(MediaKind::Audio, Source::Base64("aGk=".into()), Some("audio/wav")),
    ];
    let (written, lost) = written(asks(vec![Turn::new(Role::User, blocks)]), "claude-opus-4-1");
    let content = &written.body["messages"][0]["content"];
    assert_eq!(content[0]["source"]["media_type"], "image/jpeg");
    assert_eq!(content[1]["source"], json!({"type": "url", "url": "https://x/y.png"}));
    let text = json!({"type": "text", "media_type": "text/plain", "data": "hi"});
    assert_eq!(content[2]["source"], text);
    assert_eq!(content[3]["source"], json!({"type": "file", "file_id": "file_1"}));
    assert_eq!(written.headers[0].1, "files-api-2025-04-14");
    assert_eq!(lost.parts, ["input_audio"]);
}

#[test]
fn thoughts_that_another_provider_proves_are_left_out() {
    let thought = |signature: Option<&str>, hidden: Option<&str>| {
        let (signature, hidden) = (signature.map(str::to_owned), hidden.map(str::to_owned));
        let text = String::from("Hm.");
        Block::new(Content::Thought(Thought { text, signature, hidden, id: None }))
    };
    let blocks = vec![
        thought(Some("CiQBCjE1"), None),
        thought(None, Some("gAAAAABo")),
        thought(Some("ErUBCkYI"), None),
        Block::text("One."),
    ];
    let turns = vec![says(Role::User, "?"), Turn::new(Role::Assistant, blocks)];
    let (written, lost) = written(asks(turns), "claude-opus-4-1");
    let own = json!({"type": "thinking", "thinking": "Hm.", "signature": "ErUBCkYI"});
    let text = json!({"type": "text", "text": "One."});
    assert_eq!(written.body["messages"][1]["content"], json!([own, text]));
    assert_eq!(lost.hints, ["reasoning_content"]);
}
