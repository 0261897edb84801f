//! OpenAI responses.
use super::frames::events;
use super::said::{Answer, Call, End, Said, Used, count, list, text};
use serde_json::{Value, json};

/// Reads a whole response.
pub(super) fn whole(body: &Value) -> Answer {
    let mut said = Said::default();
    for item in list(body, "output") {
        read_item(item, body, &mut said);
    }
    said.finish = match (text(body, "status"), text(&body["incomplete_details"], "reason")) {
        (_, "content_filter") => Some(End::Filter),
        ("incomplete", _) => Some(End::Length),
        _ if !said.calls.is_empty() => Some(End::Tools),
        _ => Some(End::Stop),
    };
    Answer::whole(vec![said], usage(&body["usage"]))
}

fn read_item(item: &Value, body: &Value, said: &mut Said) {
    match text(item, "type") {
        "message" => {
            for part in list(item, "content") {
                said.text.push_str(text(part, "text"));
                said.refusal.push_str(text(part, "refusal"));
            }
        }
        "reasoning" => said.thought.push_str(&thought(item)),
        "function_call" => {
            let id = text(item, "call_id");
            said.calls.push(Call::new(id, text(item, "name"), text(item, "arguments")));
        }
        "custom_tool_call" => {
            let offered = |tool: &Value| tool["type"] == "custom" && tool["name"] == item["name"];
            // xAI tells its own searches so.
            if list(body, "tools").any(offered) {
                let input = json!({"input": item["input"]});
                let (id, name) = (text(item, "call_id").to_owned(), text(item, "name").to_owned());
                said.calls.push(Call { id, name, input, proven: false });
            }
        }
        "image_generation_call" => said.media.push(text(item, "result").to_owned()),
        _ => {}
    }
}

/// A thought: its own words, or else the paragraphs of its summary.
fn thought(item: &Value) -> String {
    let own: String = list(item, "content").map(|part| text(part, "text")).collect();
    let summary: Vec<&str> = list(item, "summary").map(|part| text(part, "text")).collect();
    if own.is_empty() { summary.join("\n\n") } else { own }
}

/// Reads a provider's stream: by the response that its end holds.
pub(super) fn stream(stream: &str) -> Answer {
    let mut answer = Answer::default();
    let mut items: Vec<Value> = Vec::new();
    for event in events(stream) {
        let event = event.json();
        match text(&event, "type") {
            "response.completed" | "response.incomplete" => {
                // Some leave the output of the last event empty.
                let mut response = event["response"].clone();
                if list(&response, "output").next().is_none() {
                    response["output"] = std::mem::take(&mut items).into();
                }
                answer = whole(&response);
            }
            "response.output_item.done" => items.push(event["item"].clone()),
            "response.failed" => {
                answer.error = Some(text(&event["response"]["error"], "message").to_owned());
            }
            "error" => {
                let inner = if event["error"].is_object() { &event["error"] } else { &event };
                answer.error = Some(text(inner, "message").to_owned());
            }
            _ => {}
        }
    }
    answer
}

/// Reads a client's stream by its pieces, and proves that each event is where it may be, and that
/// the response at its end says what the pieces said.
pub(super) fn strict_stream(stream: &str) -> Answer {
    let (mut said, mut next, mut items) = (Said::default(), 0, Vec::new());
    let mut answer = Answer::default();
    for told in events(stream) {
        let event = told.json();
        let kind = text(&event, "type");
        assert_eq!(told.name, kind, "an event has the name of its type");
        assert_eq!(event["sequence_number"], next, "{kind}: numbers go up by one");
        assert!(next > 0 || kind == "response.created" || kind == "error", "{kind} is first");
        assert!(!answer.ended, "{kind} comes after the ending");
        next += 1;
        match kind {
            "response.output_item.added" => {
                assert_eq!(event["output_index"], items.len(), "items begin in their order");
                items.push(Value::Null);
            }
            "response.output_text.delta" => said.text.push_str(text(&event, "delta")),
            "response.refusal.delta" => said.refusal.push_str(text(&event, "delta")),
            "response.output_item.done" => {
                let at = usize::try_from(count(&event, "/output_index")).expect("an index");
                assert!(items[at].is_null(), "an item is done once");
                items[at] = event["item"].clone();
            }
            "response.completed" | "response.incomplete" => {
                assert_eq!(event["response"]["output"], Value::from(items.clone()));
                answer = whole(&event["response"]);
                assert_eq!(answer.choices[0].text, said.text);
                assert_eq!(answer.choices[0].refusal, said.refusal);
            }
            "response.failed" | "error" => {
                let inner = if kind == "error" { &event } else { &event["response"]["error"] };
                let (text, choices) = (text(inner, "message"), vec![std::mem::take(&mut said)]);
                answer = Answer { error: Some(text.to_owned()), choices, ..Answer::default() };
            }
            _ => {}
        }
    }
    answer
}

fn usage(told: &Value) -> Option<Used> {
    told.get("input_tokens")?;
    let reasoning = count(told, "/output_tokens_details/reasoning_tokens");
    Some(Used {
        input: count(told, "/input_tokens"),
        output: count(told, "/output_tokens"),
        cache_read: count(told, "/input_tokens_details/cached_tokens"),
        cache_write: count(told, "/input_tokens_details/cache_write_tokens"),
        reasoning,
    })
}
