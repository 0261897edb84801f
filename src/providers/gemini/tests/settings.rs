use super::{members, target, written};
use crate::providers::chat::{Function, Lost, Request, Thinking, Tool};
use crate::providers::gemini::write_request;
use serde_json::{Value, json};

#[test]
fn thinking_is_a_budget_or_a_level_as_the_model_knows_it() {
    let config = |effort: Option<&str>, budget, model: &str| {
        let effort = effort.map(str::to_owned);
        let thinking = Some(Thinking { effort, budget, ..Thinking::default() });
        let (body, _) = written(Request { thinking, ..Request::default() }, model);
        body["generationConfig"]["thinkingConfig"].clone()
    };
    let budget =
        |tokens: i64, shown: bool| json!({"thinkingBudget": tokens, "includeThoughts": shown});
    let level =
        |level: &str, shown: bool| json!({"thinkingLevel": level, "includeThoughts": shown});
    assert_eq!(config(Some("low"), None, "gemini-2.5-flash"), budget(1024, true));
    assert_eq!(config(Some("minimal"), None, "gemini-2.5-flash"), budget(1, true));
    assert_eq!(config(Some("minimal"), None, "gemini-2.5-pro"), budget(128, true));
    assert_eq!(config(Some("minimal"), None, "gemini-2.5-flash-lite"), budget(512, true));
    assert_eq!(config(Some("none"), None, "gemini-2.5-flash"), budget(0, false));
    assert_eq!(config(None, Some(50_000), "gemini-2.5-flash"), budget(24_576, true));
    assert_eq!(config(Some("medium"), None, "gemini-3-pro-preview"), level("HIGH", true));
    assert_eq!(config(Some("medium"), None, "gemini-3.1-pro-preview"), level("MEDIUM", true));
    assert_eq!(config(None, Some(600), "gemini-3.5-flash"), level("LOW", true));
    assert_eq!(config(Some("none"), None, "gemini-flash-latest"), level("MINIMAL", false));
    assert_eq!(config(Some("high"), None, "gemini-1.5-pro"), Value::Null);
}

#[test]
fn tools_that_google_runs_are_known_in_all_words() {
    let hosted = [
        json!({"type": "web_search_20250305", "name": "web_search"}),
        json!({"google_search": {}}),
        json!({"type": "code_interpreter", "container": {"type": "auto"}}),
        json!({"url_context": {}}),
        json!({"type": "image_generation"}),
    ];
    let tools = hosted.into_iter().map(Tool::Hosted).collect();
    let (body, lost) = written(Request { tools, ..Request::default() }, "gemini-2.5-pro");
    let expected = json!([{"googleSearch": {}}, {"codeExecution": {}}, {"urlContext": {}}]);
    assert_eq!(body["tools"], expected);
    assert_eq!(lost, ["tools.image_generation"]);
}

#[test]
fn functions_and_googles_tools_go_together_since_gemini_3() {
    let function = Function { name: "f".to_owned(), ..Function::default() };
    let search = Tool::Hosted(json!({"type": "web_search"}));
    let tools = vec![Tool::Function(function), search];
    let request = Request { tools, ..Request::default() };
    let (body, _) = written(request.clone(), "gemini-3-pro-preview");
    assert_eq!(body["tools"][0], json!({"googleSearch": {}}));
    assert_eq!(body["toolConfig"]["includeServerSideToolInvocations"], true);
    let (older, lost) = written(request, "gemini-2.5-pro");
    assert_eq!(older["tools"].as_array().unwrap().len(), 1);
    assert!(lost.contains(&"tools".to_owned()));
}

#[test]
fn what_openai_has_no_word_for_comes_from_the_rest() {
    let rest = members(json!({
        "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
        "cachedContent": "cachedContents/1",
        "modalities": ["text", "image"],
        "audio": {"voice": "Kore", "format": "pcm16"},
        "generation_config": {"image_config": {"aspectRatio": "1:1"}, "top_k": 3},
        "service_tier": "flex",
        "other": 1,
    }));
    let mut lost = Lost::default();
    let request = Request { rest, ..Request::default() };
    let written = write_request(request, &target("gemini-2.5-flash"), &mut lost).unwrap();
    assert_eq!(written.body["safetySettings"][0]["threshold"], "OFF");
    assert_eq!(written.body["cachedContent"], "cachedContents/1");
    assert_eq!(written.body["serviceTier"], "flex");
    assert_eq!(
        written.body["generationConfig"],
        json!({
            "responseModalities": ["TEXT", "IMAGE"],
            "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
            "imageConfig": {"aspectRatio": "1:1"},
            "topK": 3,
        })
    );
    assert_eq!(Value::Object(written.rest), json!({"other": 1}));
}
