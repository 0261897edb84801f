//! Gemini `generateContent` and `streamGenerateContent`.
use super::frames::{array, events};
use super::said::{Answer, Call, End, Said, Used, count, list, text};
use serde_json::Value;

/// Reads a whole answer.
pub(super) fn whole(body: &Value) -> Answer {
    let mut answer = Answer { ended: true, ..Answer::default() };
    take(body, &mut answer);
    answer
}

/// Reads a stream of events.
pub(super) fn stream(stream: &str) -> Answer {
    documents(events(stream).iter().map(super::frames::Event::json))
}

/// Reads a stream that is an array.
pub(super) fn array_stream(stream: &str) -> Answer {
    let (all, closed) = array(stream);
    let answer = documents(all.into_iter());
    Answer { ended: answer.ended && closed, ..answer }
}

fn documents(all: impl Iterator<Item = Value>) -> Answer {
    let mut answer = Answer::default();
    for document in all {
        take(&document, &mut answer);
    }
    let over = |said: &Said| said.finish.is_some();
    answer.ended = !answer.choices.is_empty() && answer.choices.iter().all(over);
    answer
}

fn take(body: &Value, answer: &mut Answer) {
    if body["error"].is_object() {
        answer.error = Some(text(&body["error"], "message").to_owned());
        return;
    }
    for candidate in list(body, "candidates") {
        let said = answer.choice(count(candidate, "/index"));
        list(&candidate["content"], "parts").for_each(|part| read_part(part, said));
        said.finish = finish(&candidate["finishReason"]).or(said.finish);
    }
    if !text(&body["promptFeedback"], "blockReason").is_empty() {
        answer.choice(0).finish = Some(End::Filter);
    }
    answer.usage = usage(&body["usageMetadata"]).or(answer.usage);
}

fn read_part(part: &Value, said: &mut Said) {
    let words = if part["thought"] == true { &mut said.thought } else { &mut said.text };
    words.push_str(text(part, "text"));
    let data = text(&part["inlineData"], "data");
    if !data.is_empty() {
        said.media.push(data.to_owned());
    }
    let call = &part["functionCall"];
    if call.is_object() {
        let mut read = Call::new(text(call, "id"), text(call, "name"), "");
        if call["args"].is_object() {
            read.input = call["args"].clone();
        }
        read.proven = part["thoughtSignature"].is_string();
        said.calls.push(read);
    }
}

fn finish(reason: &Value) -> Option<End> {
    // Some of Google's clients have numbers for words.
    let word = match reason.as_u64() {
        Some(number) => ["", "STOP", "MAX_TOKENS", "SAFETY"][usize::try_from(number).ok()?],
        None => reason.as_str().unwrap_or_default(),
    };
    Some(match word {
        "" => return None,
        "MAX_TOKENS" => End::Length,
        "SAFETY" | "RECITATION" | "PROHIBITED_CONTENT" | "BLOCKLIST" | "SPII" => End::Filter,
        "STOP" | "OTHER" | "MALFORMED_FUNCTION_CALL" => End::Stop,
        other => panic!("{other} is no finish reason"),
    })
}

fn usage(told: &Value) -> Option<Used> {
    told.get("promptTokenCount")?;
    let thoughts = count(told, "/thoughtsTokenCount");
    Some(Used {
        input: count(told, "/promptTokenCount") + count(told, "/toolUsePromptTokenCount"),
        output: count(told, "/candidatesTokenCount") + thoughts,
        cache_read: count(told, "/cachedContentTokenCount"),
        cache_write: 0,
        reasoning: thoughts,
    })
}
