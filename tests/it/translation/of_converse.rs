//! Converse of AWS Bedrock. Its streams are shown as lines, each an event's name and its JSON.
use super::said::{Answer, Call, End, Said, Used, arguments_of, count, list, text};
use bartizan_layers::wire::eventstream::encode;
use serde_json::Value;
use std::collections::BTreeMap;

/// Reads a whole answer.
pub(super) fn whole(body: &Value) -> Answer {
    let mut said = Said::default();
    for block in list(&body["output"]["message"], "content") {
        said.text.push_str(text(block, "text"));
        let cited = list(&block["citationsContent"], "content");
        cited.for_each(|part| said.text.push_str(text(part, "text")));
        said.thought.push_str(text(&block["reasoningContent"]["reasoningText"], "text"));
        let call = &block["toolUse"];
        if call.is_object() && call["type"] != "server_tool_use" {
            let mut read = Call::new(text(call, "toolUseId"), text(call, "name"), "");
            read.input = call["input"].clone();
            said.calls.push(read);
        }
        let picture = text(&block["image"]["source"], "bytes");
        said.media.extend(Some(picture.to_owned()).filter(|it| !it.is_empty()));
    }
    said.finish = finish(text(body, "stopReason"));
    Answer::whole(vec![said], usage(&body["usage"]))
}

/// Reads a stream, as lines.
pub(super) fn stream(lines: &str) -> Answer {
    let (mut answer, mut said) = (Answer::default(), Said::default());
    let mut calls: BTreeMap<u64, (Call, String)> = BTreeMap::new();
    for line in lines.lines() {
        let (name, data) = line.split_once(' ').expect("a name and its JSON");
        let event: Value = serde_json::from_str(data).expect("JSON");
        let (at, delta) = (count(&event, "/contentBlockIndex"), &event["delta"]);
        let call = &event["start"]["toolUse"];
        if call.is_object() && call["type"] != "server_tool_use" {
            let call = Call::new(text(call, "toolUseId"), text(call, "name"), "");
            calls.insert(at, (call, String::new()));
        }
        said.text.push_str(text(delta, "text"));
        said.thought.push_str(text(&delta["reasoningContent"], "text"));
        if let Some((_, arguments)) = calls.get_mut(&at) {
            arguments.push_str(text(&delta["toolUse"], "input"));
        }
        match name {
            "messageStop" => {
                said.finish = finish(text(&event, "stopReason"));
                answer.ended = true;
            }
            "metadata" => answer.usage = usage(&event["usage"]),
            _ if name.ends_with("Exception") => {
                answer.error = Some(text(&event, "message").to_owned());
                answer.ended = false;
            }
            _ => {}
        }
    }
    said.calls.extend(calls.into_values().map(|(mut call, arguments)| {
        call.input = arguments_of(&arguments);
        call
    }));
    answer.choices = vec![said];
    answer
}

/// The lines of a stream as it came, but for a message that is not over.
pub(super) fn lines(stream: &[u8]) -> String {
    let mut lines = String::new();
    for (at, end) in messages(stream) {
        let headers = usize::try_from(number(stream, at + 4)).expect("a length");
        let (told, payload) = stream[at + 12..end - 4].split_at(headers);
        let told = String::from_utf8_lossy(told);
        let value = |name: &str| {
            let (_, rest) = told.split_once(name)?;
            // A kind, two bytes of a length, and letters up to the next header's length.
            Some(rest.chars().skip(3).take_while(char::is_ascii_alphabetic).collect::<String>())
        };
        let name = value(":event-type").or_else(|| value(":exception-type"));
        let payload = std::str::from_utf8(payload).expect("UTF-8");
        lines += &format!("{} {payload}\n", name.expect("a name"));
    }
    lines
}

/// Where messages begin and end.
fn messages(stream: &[u8]) -> Vec<(usize, usize)> {
    let (mut all, mut at) = (Vec::new(), 0);
    while at + 12 <= stream.len() {
        let end = at + usize::try_from(number(stream, at)).expect("a length");
        if end > stream.len() {
            break;
        }
        all.push((at, end));
        at = end;
    }
    all
}

/// Where messages end.
pub(super) fn ends(stream: &[u8]) -> Vec<usize> {
    messages(stream).into_iter().map(|(_, end)| end).collect()
}

fn number(stream: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(stream[at..at + 4].try_into().expect("four bytes"))
}

/// A stream of these lines.
pub(super) fn frames(lines: &str) -> Vec<u8> {
    let frame = |line: &str| {
        let (name, data) = line.split_once(' ').expect("a name and its JSON");
        let (kind, header) = match name.ends_with("Exception") {
            true => ("exception", ":exception-type"),
            false => ("event", ":event-type"),
        };
        let headers =
            [(header, name), (":content-type", "application/json"), (":message-type", kind)];
        encode(&headers, data.as_bytes())
    };
    lines.lines().flat_map(frame).collect()
}

fn finish(reason: &str) -> Option<End> {
    Some(match reason {
        "" => return None,
        "end_turn" | "stop_sequence" => End::Stop,
        "max_tokens" => End::Length,
        "tool_use" => End::Tools,
        "guardrail_intervened" | "content_filtered" => End::Filter,
        other => panic!("{other} is no stop reason"),
    })
}

fn usage(told: &Value) -> Option<Used> {
    told.is_object().then(|| {
        let (read, written) =
            (count(told, "/cacheReadInputTokens"), count(told, "/cacheWriteInputTokens"));
        Used {
            input: count(told, "/inputTokens") + read + written,
            output: count(told, "/outputTokens"),
            cache_read: read,
            cache_write: written,
            reasoning: 0,
        }
    })
}
