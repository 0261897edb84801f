//! Cohere chat, of both versions.
use super::frames::events;
use super::said::{Answer, Call, End, Said, Used, count, list, text};
use serde_json::Value;

/// Reads a whole answer.
pub(super) fn whole(body: &Value) -> Answer {
    let mut said = Said::default();
    let message = &body["message"];
    if message.is_null() {
        text(body, "text").clone_into(&mut said.text);
        said.finish = finish(text(body, "finish_reason"));
        return Answer::whole(vec![said], usage(&body["meta"]));
    }
    // What it plans to do with tools is a thought.
    text(message, "tool_plan").clone_into(&mut said.thought);
    for part in list(message, "content") {
        said.text.push_str(text(part, "text"));
        said.thought.push_str(text(part, "thinking"));
    }
    for call in list(message, "tool_calls") {
        let function = &call["function"];
        let arguments = text(function, "arguments");
        said.calls.push(Call::new(text(call, "id"), text(function, "name"), arguments));
    }
    said.finish = finish(text(body, "finish_reason"));
    Answer::whole(vec![said], usage(&body["usage"]))
}

/// Reads a stream.
pub(super) fn stream(stream: &str) -> Answer {
    let events: Vec<Value> = events(stream).iter().map(super::frames::Event::json).collect();
    if events.is_empty() {
        return version_one(&super::frames::lines(stream));
    }
    let (mut answer, mut said, mut arguments) = (Answer::default(), Said::default(), Vec::new());
    for event in events {
        let message = &event["delta"]["message"];
        said.text.push_str(text(&message["content"], "text"));
        said.thought.push_str(text(&message["content"], "thinking"));
        said.thought.push_str(text(message, "tool_plan"));
        let (call, kind) = (&message["tool_calls"], text(&event, "type"));
        if kind == "tool-call-start" {
            arguments.push(String::new());
            said.calls.push(Call::new(text(call, "id"), text(&call["function"], "name"), ""));
        }
        if let Some(last) = arguments.last_mut() {
            last.push_str(text(&call["function"], "arguments"));
        }
        if kind == "message-end" {
            said.finish = finish(text(&event["delta"], "finish_reason"));
            answer.usage = usage(&event["delta"]["usage"]);
            answer.ended = true;
            let error = text(&event["delta"], "error");
            answer.error = Some(error.to_owned()).filter(|error| !error.is_empty());
            answer.ended = answer.error.is_none();
        }
    }
    for (call, arguments) in said.calls.iter_mut().zip(arguments) {
        *call = Call::new(&call.id, &call.name, &arguments);
    }
    answer.choices = vec![said];
    answer
}

fn version_one(lines: &[Value]) -> Answer {
    let mut said = Said::default();
    let pieces = lines.iter().filter(|line| line["event_type"] == "text-generation");
    pieces.for_each(|line| said.text.push_str(text(line, "text")));
    let Some(end) = lines.iter().find(|line| line["event_type"] == "stream-end") else {
        return Answer { choices: vec![said], ..Answer::default() };
    };
    said.finish = finish(text(end, "finish_reason"));
    Answer::whole(vec![said], usage(&end["response"]["meta"]))
}

fn finish(reason: &str) -> Option<End> {
    Some(match reason {
        "" | "ERROR" => return None,
        "MAX_TOKENS" => End::Length,
        "TOOL_CALL" => End::Tools,
        "ERROR_TOXIC" => End::Filter,
        "COMPLETE" | "STOP_SEQUENCE" => End::Stop,
        other => panic!("{other} is no finish reason"),
    })
}

fn usage(told: &Value) -> Option<Used> {
    let tokens = told.get("tokens")?;
    Some(Used {
        // Those of pictures are counted apart.
        input: count(tokens, "/input_tokens") + count(tokens, "/image_tokens"),
        output: count(tokens, "/output_tokens"),
        cache_read: count(told, "/cached_tokens"),
        cache_write: 0,
        reasoning: count(tokens, "/reasoning_tokens"),
    })
}
