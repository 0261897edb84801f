use super::{client, members};
use crate::providers::chat::{
    Answer, Block, Choice, Citation, Content, Finish, Memo, Thought, ToolUse, Unreadable,
};
use crate::providers::gemini::{read_answer, read_error, write_answer};
use bartizan_layers::facts::{Unit, Usage};
use serde_json::{Value, json};

fn read(body: Value) -> Answer {
    read_answer(members(body), &Memo::default()).unwrap()
}

fn thought(text: &str, signature: Option<&str>) -> Block {
    let (text, signature) = (text.to_owned(), signature.map(str::to_owned));
    Block::new(Content::Thought(Thought { text, signature, ..Thought::default() }))
}

#[test]
fn thoughts_text_and_calls_are_told_in_their_order() {
    let answer = read(json!({
        "candidates": [{
            "content": {"role": "model", "parts": [
                {"text": "hm", "thought": true},
                {"text": "Hi", "thoughtSignature": "AbCd"},
                {"functionCall": {"name": "get_w", "args": {"c": 1}}, "thoughtSignature": "EfGh"},
                {"functionCall": {"name": "get_w", "args": {"c": 1}, "id": "x8i00o1q"}},
            ]},
            "finishReason": "STOP", "index": 0,
        }],
        "usageMetadata": {
            "promptTokenCount": 10, "candidatesTokenCount": 4, "thoughtsTokenCount": 5,
            "cachedContentTokenCount": 3, "toolUsePromptTokenCount": 2, "totalTokenCount": 21,
            "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 4}],
            "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 1}],
        },
        "modelVersion": "gemini-2.5-flash", "responseId": "r1",
    }));
    let [choice] = answer.choices.as_slice() else { panic!("{answer:?}") };
    assert_eq!(choice.blocks[..2], [thought("hm", Some("AbCd")), Block::text("Hi")]);
    let Content::ToolUse(first) = &choice.blocks[2].content else { panic!() };
    let (id, signature) = first.id.split_once("__thought__").unwrap();
    assert!(id.starts_with("call_") && id.len() == 33, "{id}");
    assert_eq!((signature, first.signature.as_deref()), ("EfGh", Some("EfGh")));
    assert_eq!(first.input, r#"{"c":1}"#);
    let Content::ToolUse(second) = &choice.blocks[3].content else { panic!() };
    assert_eq!(second.id, "x8i00o1q");
    assert_eq!(choice.finish, Some(Finish::Tools));
    let expected = Usage::tokens(12, 9)
        .with(Unit::CacheRead, 3)
        .with(Unit::Reasoning, 5)
        .with(Unit::AudioInput, 3);
    assert_eq!(answer.usage, Some(expected));
    assert_eq!(
        (answer.id.as_deref(), answer.model.as_deref()),
        (Some("r1"), Some("gemini-2.5-flash"))
    );
}

#[test]
fn thoughts_that_are_in_the_total_already_are_not_counted_again() {
    let usage = json!({
        "promptTokenCount": 10, "candidatesTokenCount": 9, "thoughtsTokenCount": 5,
        "totalTokenCount": 19,
    });
    let used = read(json!({"usageMetadata": usage})).usage.unwrap();
    assert_eq!((used[Unit::Output], used[Unit::Reasoning]), (9, 5));
}

#[test]
fn a_blocked_prompt_is_a_choice_that_the_filter_ended() {
    let answer = read(json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}));
    assert_eq!(answer.choices, [Choice { finish: Some(Finish::Filter), ..Choice::default() }]);
}

#[test]
fn endings_have_their_meaning() {
    let finish = |reason: Value| {
        let candidate = json!({"content": {"parts": [{"text": "x"}]}, "finishReason": reason});
        read(json!({"candidates": [candidate]})).choices.remove(0).finish
    };
    assert_eq!(finish(json!("STOP")), Some(Finish::Stop));
    assert_eq!(finish(json!("MAX_TOKENS")), Some(Finish::Length));
    assert_eq!(finish(json!(2)), Some(Finish::Length));
    assert_eq!(finish(json!("IMAGE_SAFETY")), Some(Finish::Filter));
    assert_eq!(finish(json!("RECITATION")), Some(Finish::Filter));
    let failed = Finish::Failed("MALFORMED_FUNCTION_CALL".to_owned());
    assert_eq!(finish(json!("MALFORMED_FUNCTION_CALL")), Some(failed));
    assert_eq!(finish(Value::Null), None);
}

#[test]
fn pages_are_told_with_the_characters_that_they_are_for() {
    let answer = read(json!({"candidates": [{
        "content": {"parts": [{"text": "Größe: 3 m. Ende"}]},
        "groundingMetadata": {
            "groundingChunks": [{"web": {"uri": "https://a", "title": "A"}}, {"web": {"uri": "https://b"}}],
            "groundingSupports": [{
                "segment": {"startIndex": 9, "endIndex": 13, "text": "3 m."},
                "groundingChunkIndices": [1, 7],
            }],
        },
    }]}));
    let Content::Text(_, citations) = &answer.choices[0].blocks[0].content else { panic!() };
    let expected = Citation {
        url: Some("https://b".to_owned()),
        title: None,
        cited: Some("3 m.".to_owned()),
        range: Some((7, 11)),
    };
    assert_eq!(citations.as_slice(), [expected]);
    let again = read(write_answer(answer.clone(), &client(false)));
    assert_eq!(again.choices, answer.choices);
}

#[test]
fn what_only_google_has_comes_through_as_it_was() {
    let parts = json!([
        {"executableCode": {"language": "PYTHON", "code": "print(1)"}, "thoughtSignature": "AbCd"},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}},
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        {"text": "one"},
    ]);
    let answer =
        read(json!({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}));
    assert!(matches!(answer.choices[0].blocks[0].content, Content::Other(_)));
    let written = write_answer(answer, &client(false));
    assert_eq!(written["candidates"][0]["content"]["parts"], parts);
}

#[test]
fn probabilities_are_told_in_openais_words_and_back() {
    let candidate = json!({"token": "é", "logProbability": -0.5});
    let result = json!({
        "topCandidates": [{"candidates": [candidate]}], "chosenCandidates": [candidate],
    });
    let answer = read(json!({"candidates": [{"logprobsResult": result}]}));
    let token = json!({"token": "é", "logprob": -0.5, "bytes": [195, 169]});
    let told = answer.choices[0].logprobs.clone().unwrap();
    assert_eq!(told["content"][0]["top_logprobs"], json!([token]));
    assert_eq!(told["content"][0]["bytes"], token["bytes"]);
    let written = write_answer(answer, &client(false));
    assert_eq!(written["candidates"][0]["logprobsResult"], result);
}

#[test]
fn a_client_gets_what_another_provider_answers() {
    let call = ToolUse {
        id: "toolu_1".to_owned(),
        name: "f".to_owned(),
        input: r#"{"a": 1}"#.to_owned(),
        signature: None,
    };
    let blocks =
        vec![thought("hm", Some("EpIE")), Block::text("Hi"), Block::new(Content::ToolUse(call))];
    let choices = vec![Choice { blocks, finish: Some(Finish::Tools), logprobs: None }];
    let usage = Some(Usage::tokens(10, 9).with(Unit::Reasoning, 4).with(Unit::CacheRead, 3));
    let answer = Answer { choices, usage, ..Answer::default() };
    assert_eq!(
        write_answer(answer, &client(false)),
        json!({
            "candidates": [{
                "content": {"parts": [
                    {"text": "hm", "thought": true, "thoughtSignature": "EpIE"},
                    {"text": "Hi"},
                    {"functionCall": {"name": "f", "args": {"a": 1}, "id": "toolu_1"}},
                ], "role": "model"},
                "finishReason": "STOP", "index": 0,
            }],
            "usageMetadata": {
                "promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 19,
                "thoughtsTokenCount": 4, "cachedContentTokenCount": 3,
            },
            "modelVersion": "asked", "responseId": "0123456789abcdef0123456789abcdef",
        })
    );
}

#[test]
fn errors_are_told_with_status_and_words() {
    let body =
        json!({"error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED"}});
    let error = read_error(&members(body)).unwrap();
    assert_eq!((error.status, error.message.as_str()), (Some(429), "Slow down."));
    assert_eq!(error.kind.as_deref(), Some("RESOURCE_EXHAUSTED"));
    let stranger = read_answer(members(json!({"choices": []})), &Memo::default());
    assert_eq!(stranger, Err(Unreadable("Gemini")));
}
