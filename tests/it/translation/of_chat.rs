//! OpenAI chat completions and completions of text, with what others made of them.
use super::frames::events;
use super::said::{Answer, Call, End, Said, Used, count, list, text};
use serde_json::Value;

/// Reads a whole completion, of a chat or of text.
pub(super) fn whole(body: &Value) -> Answer {
    let mut answer = Answer { ended: true, usage: usage(&body["usage"]), ..Answer::default() };
    for choice in list(body, "choices") {
        let said = answer.choice(count(choice, "/index"));
        said.text.push_str(text(choice, "text"));
        message(&choice["message"], said);
        said.finish = finish(text(choice, "finish_reason"));
    }
    answer.error = error(body);
    answer
}

/// Reads a stream.
pub(super) fn stream(stream: &str) -> Answer {
    let mut answer = Answer::default();
    let mut calls: Vec<Calls> = Vec::new();
    for event in events(stream) {
        assert!(!answer.ended, "{event:?} comes after the ending");
        if event.data.trim() == "[DONE]" {
            answer.ended = true;
            continue;
        }
        let chunk = event.json();
        answer.error = answer.error.or_else(|| error(&chunk));
        let used = usage(&chunk["usage"]).or_else(|| usage(&chunk["x_groq"]["usage"]));
        answer.usage = used.or(answer.usage);
        for choice in list(&chunk, "choices") {
            let index = count(choice, "/index");
            let said = answer.choice(index);
            // Together says a chat's text twice: as a chat, and as a completion of text.
            if choice["delta"].is_null() {
                said.text.push_str(text(choice, "text"));
            }
            message_piece(&choice["delta"], said);
            let index = usize::try_from(index).expect("an index");
            calls.resize_with(calls.len().max(index + 1), Calls::default);
            calls[index].take(&choice["delta"]);
            said.finish = said.finish.or(finish(text(choice, "finish_reason")));
        }
    }
    for (said, calls) in answer.choices.iter_mut().zip(calls) {
        said.calls = calls.done();
    }
    answer
}

/// As [`stream`], of a provider: some end without `[DONE]`, once all answers have ended.
pub(super) fn providers_stream(told: &str) -> Answer {
    let mut answer = stream(told);
    let over = answer.choices.iter().all(|said| said.finish.is_some());
    answer.ended |= over && !answer.choices.is_empty() && answer.error.is_none();
    answer
}

fn message(message: &Value, said: &mut Said) {
    message_piece(message, said);
    let mut calls = Calls::default();
    calls.take(message);
    said.calls = calls.done();
}

/// What a message or a piece of one says beside its calls.
fn message_piece(message: &Value, said: &mut Said) {
    said.text.push_str(text(message, "content"));
    // Cloudflare tells JSON that was asked for as JSON, not as its text.
    if message["content"].is_object() {
        said.text.push_str(&message["content"].to_string());
    }
    let mut thought = String::new();
    for part in list(message, "content") {
        match text(part, "type") {
            "text" => said.text.push_str(text(part, "text")),
            "thinking" => list(part, "thinking").for_each(|it| thought.push_str(text(it, "text"))),
            _ => {}
        }
    }
    for name in ["reasoning_content", "reasoning"] {
        if thought.is_empty() {
            thought.push_str(text(message, name));
        }
    }
    if thought.is_empty() {
        let details = list(message, "reasoning_details");
        details
            .for_each(|it| thought.push_str(&(text(it, "text").to_owned() + text(it, "summary"))));
    }
    said.thought.push_str(&thought);
    said.refusal.push_str(text(message, "refusal"));
    // A sound is its words, where they are told.
    let spoken = text(&message["audio"], "transcript");
    said.text.push_str(spoken);
    let sound = message["audio"]["data"].as_str();
    let sound = sound.filter(|sound| spoken.is_empty() && !sound.is_empty());
    said.media.extend(sound.map(str::to_owned));
    for image in list(message, "images") {
        let url = text(&image["image_url"], "url");
        said.media.push(url.rsplit(',').next().unwrap_or_default().to_owned());
    }
}

/// Calls that come in pieces.
#[derive(Default)]
struct Calls(Vec<(u64, Call, String)>);

impl Calls {
    fn take(&mut self, message: &Value) {
        let before = self.0.len();
        for (place, call) in list(message, "tool_calls").enumerate() {
            let whole = !text(&call["function"], "name").is_empty() && call["index"].is_null();
            let place = if whole { before + place } else { place } as u64;
            let index = call["index"].as_u64().unwrap_or(place);
            let proven = call.pointer("/provider_specific_fields/thought_signature").is_some()
                || call.pointer("/extra_content/google/thought_signature").is_some();
            self.piece(index, text(call, "id"), &call["function"], proven);
        }
        if message["function_call"].is_object() {
            self.piece(0, "", &message["function_call"], false);
        }
    }

    fn piece(&mut self, index: u64, id: &str, function: &Value, proven: bool) {
        if !self.0.iter().any(|(known, ..)| *known == index) {
            self.0.push((index, Call::default(), String::new()));
        }
        let known = self.0.iter_mut().find(|(known, ..)| *known == index);
        let (_, call, arguments) = known.expect("it was pushed");
        if !id.is_empty() {
            id.clone_into(&mut call.id);
        }
        call.proven |= proven;
        call.name.push_str(text(function, "name"));
        match &function["arguments"] {
            Value::String(more) => arguments.push_str(more),
            Value::Null => {}
            object => arguments.push_str(&object.to_string()),
        }
    }

    fn done(self) -> Vec<Call> {
        let calls = self.0.into_iter().map(|(_, call, arguments)| Call {
            proven: call.proven,
            ..Call::new(&call.id, &call.name, &arguments)
        });
        calls.collect()
    }
}

fn finish(reason: &str) -> Option<End> {
    Some(match reason {
        "" => return None,
        "length" | "model_length" => End::Length,
        "tool_calls" | "function_call" => End::Tools,
        "content_filter" => End::Filter,
        "stop" | "error" => End::Stop,
        other => panic!("{other} is no finish reason"),
    })
}

fn error(body: &Value) -> Option<String> {
    body["error"].is_object().then(|| text(&body["error"], "message").to_owned())
}

fn usage(told: &Value) -> Option<Used> {
    told.get("prompt_tokens")?;
    let reasoning = count(told, "/completion_tokens_details/reasoning_tokens");
    let (input, mut output) = (count(told, "/prompt_tokens"), count(told, "/completion_tokens"));
    // xAI tells thoughts beside the answer, and so do gateways before Gemini.
    let whole = input + output + reasoning;
    if reasoning > output || reasoning > 0 && count(told, "/total_tokens") == whole {
        output += reasoning;
    }
    let most = |pointers: &[&str]| pointers.iter().map(|it| count(told, it)).max();
    let read =
        ["/prompt_tokens_details/cached_tokens", "/prompt_cache_hit_tokens", "/num_cached_tokens"];
    let write = [
        "/prompt_tokens_details/cache_write_tokens",
        "/prompt_tokens_details/cache_creation_tokens",
    ];
    Some(Used { input, output, cache_read: most(&read)?, cache_write: most(&write)?, reasoning })
}
