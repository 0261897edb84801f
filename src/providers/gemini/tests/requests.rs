use super::{target, written};
use crate::providers::chat::{
    Block, Content, Function, Lost, Malformed, Media, MediaKind, Request, Role, Sampling, Source,
    Thought, Tool, ToolChoice, ToolResult, ToolUse, Turn,
};
use crate::providers::gemini::write_request;
use serde_json::json;

/// The first bytes of a PNG.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR4";
/// Google's, as Tink writes it; and Anthropic's.
const GOOGLES: &str = "CiIBvj72+9zt1F5hZ20AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";
const ANTHROPICS: &str = "EpIECm4IDhgCKkAvMnMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn user(blocks: Vec<Block>) -> Turn {
    Turn::new(Role::User, blocks)
}

fn said(role: Role, text: &str) -> Turn {
    Turn::new(role, vec![Block::text(text)])
}

fn calling(id: &str, name: &str, input: &str, signature: Option<&str>) -> Block {
    let (id, name, input) = (id.to_owned(), name.to_owned(), input.to_owned());
    let signature = signature.map(str::to_owned);
    Block::new(Content::ToolUse(ToolUse { id, name, input, signature }))
}

fn result(id: &str, text: &str) -> Block {
    let blocks = vec![Block::text(text)];
    Block::new(Content::ToolResult(ToolResult {
        id: id.to_owned(),
        blocks,
        ..ToolResult::default()
    }))
}

fn picture(detail: Option<&str>) -> Block {
    Block::new(Content::Media(Media {
        kind: MediaKind::Image,
        source: Source::Base64(PNG.to_owned()),
        media_type: None,
        name: None,
        detail: detail.map(str::to_owned),
    }))
}

/// The request of contract 10.8.
fn golden() -> Request {
    Request {
        turns: vec![
            said(Role::System, "sys"),
            user(vec![Block::text("look"), picture(None)]),
            Turn::new(Role::Assistant, vec![calling("call_1", "get_w", r#"{"c": 2}"#, None)]),
            user(vec![result("call_1", "sunny")]),
            said(Role::User, "and now?"),
        ],
        tools: vec![Tool::Function(Function {
            name: "get_w".to_owned(),
            schema: Some(json!({"type": "object", "properties": {"c": {"type": "integer"}}})),
            strict: Some(true),
            ..Function::default()
        })],
        tool_choice: Some(ToolChoice::Required),
        parallel_tools: Some(false),
        sampling: Sampling {
            max_tokens: Some(64),
            temperature: Some(0.2),
            top_p: Some(0.9),
            stop: vec!["END".to_owned()],
            seed: Some(7),
            ..Sampling::default()
        },
        user: Some("u1".to_owned()),
        ..Request::default()
    }
}

#[test]
fn a_whole_conversation_is_written_in_googles_words() {
    let (body, lost) = written(golden(), "gemini-2.5-flash");
    assert_eq!(
        body,
        json!({
            "contents": [
                {"role": "user", "parts": [
                    {"text": "look"}, {"inlineData": {"mimeType": "image/png", "data": PNG}},
                ]},
                {"role": "model", "parts": [{"functionCall": {"name": "get_w", "args": {"c": 2}}}]},
                {"role": "user", "parts": [{"functionResponse": {
                    "name": "get_w", "response": {"content": "sunny"},
                }}]},
                {"role": "user", "parts": [{"text": "and now?"}]},
            ],
            "systemInstruction": {"parts": [{"text": "sys"}]},
            "tools": [{"functionDeclarations": [{
                "name": "get_w",
                "parametersJsonSchema": {
                    "type": "object", "properties": {"c": {"type": "integer"}},
                },
            }]}],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
            "generationConfig": {
                "temperature": 0.2, "topP": 0.9, "maxOutputTokens": 64, "stopSequences": ["END"],
                "seed": 7,
            },
        })
    );
    assert_eq!(lost, ["parallel_tool_calls", "strict", "user"]);
}

#[test]
fn results_of_a_run_of_turns_stand_together_before_what_else_the_user_says() {
    let turns = vec![
        Turn::new(
            Role::Assistant,
            vec![calling("a", "f", "{}", None), calling("b", "g", "not json", None)],
        ),
        user(vec![Block::text("first"), result("a", r#"{"x": 1}"#)]),
        user(vec![result("b", "[2]"), Block::text("last")]),
    ];
    let (body, _) = written(Request { turns, ..Request::default() }, "gemini-2.5-flash");
    assert_eq!(
        body["contents"][1]["parts"],
        json!([
            {"functionResponse": {"name": "f", "response": {"x": 1}, "id": "a"}},
            {"functionResponse": {"name": "g", "response": {"content": "[2]"}, "id": "b"}},
        ])
    );
    assert_eq!(body["contents"][2]["parts"], json!([{"text": "first"}, {"text": "last"}]));
    assert_eq!(body["contents"][0]["parts"][1]["functionCall"]["args"], json!({}));
}

#[test]
fn a_failed_tool_is_told_as_an_error() {
    let failed = ToolResult {
        failed: true,
        ..match result("a", "no way").content {
            Content::ToolResult(result) => result,
            _ => ToolResult::default(),
        }
    };
    let turns = vec![
        Turn::new(Role::Assistant, vec![calling("a", "f", "{}", None)]),
        user(vec![Block::new(Content::ToolResult(failed))]),
    ];
    let (body, _) = written(Request { turns, ..Request::default() }, "gemini-2.5-flash");
    let response = &body["contents"][1]["parts"][0]["functionResponse"]["response"];
    assert_eq!(*response, json!({"error": "no way"}));
}

#[test]
fn a_result_of_no_call_cannot_be_asked() {
    let request = Request { turns: vec![user(vec![result("lost", "x")])], ..Request::default() };
    let mut lost = Lost::default();
    let refused = write_request(request, &target("gemini-2.5-flash"), &mut lost);
    assert!(matches!(refused, Err(Malformed { message, .. }) if message.contains("lost")));
}

#[test]
fn a_signature_comes_back_out_of_an_id_and_googles_own_id_with_it() {
    let id = format!("x8i00o1q__thought__{GOOGLES}");
    let made = format!("call_{}__thought__{GOOGLES}", "0a".repeat(14));
    let turns = vec![
        Turn::new(Role::Assistant, vec![calling(&id, "f", "{}", None)]),
        user(vec![result(&id, "1")]),
        Turn::new(Role::Assistant, vec![calling(&made, "f", "{}", None)]),
        user(vec![result(&made, "2")]),
    ];
    let (body, _) = written(Request { turns, ..Request::default() }, "gemini-3-flash-preview");
    let part = |turn: usize| body["contents"][turn]["parts"][0].clone();
    assert_eq!(
        part(0),
        json!({
            "functionCall": {"name": "f", "args": {}, "id": "x8i00o1q"},
            "thoughtSignature": GOOGLES,
        })
    );
    assert_eq!(part(1)["functionResponse"]["id"], "x8i00o1q");
    assert_eq!(part(2)["functionCall"], json!({"name": "f", "args": {}}));
    assert_eq!(part(2)["thoughtSignature"], GOOGLES);
    assert!(part(3)["functionResponse"].get("id").is_none());
}

#[test]
fn a_call_with_the_proof_of_another_provider_is_one_without() {
    let turns = vec![
        said(Role::User, "go"),
        Turn::new(Role::Assistant, vec![calling("toolu_1", "f", "{}", Some(ANTHROPICS))]),
    ];
    let (body, lost) = written(Request { turns, ..Request::default() }, "gemini-2.5-pro");
    assert!(body["contents"][1]["parts"][0].get("thoughtSignature").is_none());
    assert_eq!(lost, ["thought_signature"]);
}

#[test]
fn calls_of_other_models_pass_the_check_of_gemini_3() {
    let turns = vec![
        said(Role::User, "go"),
        Turn::new(
            Role::Assistant,
            vec![calling("toolu_1", "f", "{}", None), calling("toolu_2", "f", "{}", None)],
        ),
    ];
    let request = Request { turns, ..Request::default() };
    let (body, _) = written(request.clone(), "gemini-3-pro-preview");
    let parts = &body["contents"][1]["parts"];
    assert_eq!(parts[0]["thoughtSignature"], "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=");
    assert!(parts[1].get("thoughtSignature").is_none());
    let (older, _) = written(request, "gemini-2.5-pro");
    assert!(older["contents"][1]["parts"][0].get("thoughtSignature").is_none());
}

#[test]
fn googles_proof_stands_at_the_part_after_the_thought_and_others_are_left_out() {
    let thought = |text: &str, signature: &str| {
        let (text, signature) = (text.to_owned(), Some(signature.to_owned()));
        Block::new(Content::Thought(Thought { text, signature, ..Thought::default() }))
    };
    let turns = vec![Turn::new(
        Role::Assistant,
        vec![
            thought("foreign", ANTHROPICS),
            Block::text("one"),
            thought("own", GOOGLES),
            Block::text("two"),
            thought("", GOOGLES),
        ],
    )];
    let (body, lost) = written(Request { turns, ..Request::default() }, "gemini-2.5-pro");
    assert_eq!(
        body["contents"][0]["parts"],
        json!([
            {"text": "foreign", "thought": true},
            {"text": "one"},
            {"text": "own", "thought": true},
            {"text": "two", "thoughtSignature": GOOGLES},
            {"text": "", "thoughtSignature": GOOGLES},
        ])
    );
    assert_eq!(lost, ["thinking.signature"]);
}

#[test]
fn instructions_go_to_the_user_where_a_model_takes_none() {
    let turns = vec![said(Role::System, "sys"), said(Role::User, "hi")];
    let (body, _) = written(Request { turns, ..Request::default() }, "gemma-3-27b-it");
    assert_eq!(
        body,
        json!({"contents": [{"role": "user", "parts": [{"text": "sys"}, {"text": "hi"}]}]})
    );
    let alone = Request { turns: vec![said(Role::System, "sys")], ..Request::default() };
    let (body, _) = written(alone, "gemini-2.5-pro");
    assert_eq!(body["contents"], json!([{"role": "user", "parts": [{"text": " "}]}]));
}

#[test]
fn media_get_a_type_and_files_stay_where_they_are() {
    let media = |kind, source, name: Option<&str>| {
        let name = name.map(str::to_owned);
        Block::new(Content::Media(Media { kind, source, media_type: None, name, detail: None }))
    };
    let url = |url: &str| Source::Url(url.to_owned());
    let turns = vec![user(vec![
        picture(Some("high")),
        media(MediaKind::Audio, Source::Base64("AAAA".to_owned()), Some("a.mp3")),
        media(MediaKind::Image, url("data:image/webp;base64,AAAA"), None),
        media(MediaKind::Image, url("gs://bucket/a.jpeg"), None),
        media(MediaKind::Video, url("https://youtu.be/x"), None),
        media(MediaKind::Document, Source::File("files/1".to_owned()), None),
        media(MediaKind::Document, Source::Text("words".to_owned()), Some("Chart")),
    ])];
    let (body, lost) = written(Request { turns, ..Request::default() }, "gemini-2.5-flash");
    let kept = "https://generativelanguage.googleapis.com/v1beta/files/1";
    assert_eq!(
        body["contents"][0]["parts"],
        json!([
            {"inlineData": {"mimeType": "image/png", "data": PNG}},
            {"inlineData": {"mimeType": "audio/mp3", "data": "AAAA"}},
            {"inlineData": {"mimeType": "image/webp", "data": "AAAA"}},
            {"fileData": {"mimeType": "image/jpeg", "fileUri": "gs://bucket/a.jpeg"}},
            {"fileData": {"mimeType": "video/mp4", "fileUri": "https://youtu.be/x"}},
            {"fileData": {"fileUri": kept}},
            {"text": "Chart\n\nwords"},
        ])
    );
    assert_eq!(lost, ["detail"]);
}

#[test]
fn a_picture_stands_in_a_result_since_gemini_3_and_beside_it_before() {
    let blocks = vec![Block::text("see"), picture(None)];
    let result = ToolResult { id: "a".to_owned(), blocks, ..ToolResult::default() };
    let turns = vec![
        Turn::new(Role::Assistant, vec![calling("a", "f", "{}", None)]),
        user(vec![Block::new(Content::ToolResult(result))]),
    ];
    let request = Request { turns, ..Request::default() };
    let blob = json!({"inlineData": {"mimeType": "image/png", "data": PNG}});
    let (newer, _) = written(request.clone(), "gemini-3-flash-preview");
    let response = &newer["contents"][1]["parts"][0]["functionResponse"];
    assert_eq!(response["parts"], json!([blob]));
    let (older, _) = written(request, "gemini-2.5-flash");
    assert_eq!(older["contents"][2]["parts"], json!([blob]));
}
