//! Anthropic messages.
use super::frames::events;
use super::said::{Answer, Call, End, Said, Used, arguments_of, count, list, text};
use serde_json::{Map, Value};

/// Reads a whole message.
pub(super) fn whole(body: &Value) -> Answer {
    let mut said = Said::default();
    for block in list(body, "content") {
        read_block(block, &mut said);
    }
    said.finish = finish(text(body, "stop_reason"));
    said.refusal = text(&body["stop_details"], "explanation").to_owned();
    Answer::whole(vec![said], usage(body.get("usage")))
}

fn read_block(block: &Value, said: &mut Said) {
    match text(block, "type") {
        "text" => said.text.push_str(text(block, "text")),
        "thinking" => said.thought.push_str(text(block, "thinking")),
        "tool_use" => said.calls.push(Call {
            id: text(block, "id").to_owned(),
            name: text(block, "name").to_owned(),
            input: block["input"].clone(),
            proven: false,
        }),
        _ => {}
    }
}

/// A stream on its way.
#[derive(Default)]
struct Reading {
    blocks: Vec<Value>,
    arguments: String,
    is_open: bool,
    usage: Map<String, Value>,
    delta: Value,
    answer: Answer,
}

/// Reads a stream, and proves that each event is where it may be.
pub(super) fn stream(stream: &str) -> Answer {
    let mut reading = Reading::default();
    // The last one of a stream that broke off may be no JSON.
    let events = events(stream).into_iter().filter(|event| event.json().is_object());
    for (place, told) in events.enumerate() {
        let event = told.json();
        let kind = text(&event, "type");
        assert!(told.name.is_empty() || told.name == kind, "an event has the name of its type");
        assert!(!reading.answer.ended, "{kind} comes after the ending");
        let first = kind == "message_start" || kind == "error";
        assert!(first == (place == 0) || kind == "error" || kind == "ping", "{place} is {kind}");
        reading.event(kind, &event);
    }
    reading.done()
}

impl Reading {
    fn event(&mut self, kind: &str, event: &Value) {
        match kind {
            "message_start" => self.count(&event["message"]["usage"]),
            "content_block_start" => {
                assert!(!self.is_open, "a block begins in another");
                assert_eq!(event["index"], self.blocks.len(), "blocks begin in their order");
                self.is_open = true;
                self.blocks.push(event["content_block"].clone());
                self.arguments.clear();
            }
            "content_block_delta" => self.piece(event),
            "content_block_stop" => {
                assert!(std::mem::take(&mut self.is_open), "no block is open");
                assert_eq!(event["index"], self.blocks.len() - 1);
                if !self.arguments.is_empty() {
                    self.last()["input"] = arguments_of(&self.arguments.clone());
                }
            }
            "message_delta" => {
                self.delta = event["delta"].clone();
                self.count(&event["usage"]);
            }
            "message_stop" => {
                assert!(!self.is_open, "a block is open at the end");
                self.answer.ended = true;
            }
            "error" => self.answer.error = Some(text(&event["error"], "message").to_owned()),
            _ => {}
        }
    }

    fn piece(&mut self, event: &Value) {
        assert!(self.is_open && event["index"] == self.blocks.len() - 1, "it is of an open block");
        let delta = &event["delta"];
        let (name, more) = match text(delta, "type") {
            "text_delta" => ("text", text(delta, "text")),
            "thinking_delta" => ("thinking", text(delta, "thinking")),
            "input_json_delta" => return self.arguments.push_str(text(delta, "partial_json")),
            _ => return,
        };
        let joined = text(self.last(), name).to_owned() + more;
        self.last()[name] = joined.into();
    }

    fn last(&mut self) -> &mut Value {
        self.blocks.last_mut().expect("a block")
    }

    fn count(&mut self, usage: &Value) {
        let told = usage.as_object().into_iter().flatten().filter(|(_, it)| !it.is_null());
        self.usage.extend(told.map(|(name, it)| (name.clone(), it.clone())));
    }

    fn done(self) -> Answer {
        let mut said = Said::default();
        self.blocks.iter().for_each(|block| read_block(block, &mut said));
        said.finish = finish(text(&self.delta, "stop_reason"));
        said.refusal = text(&self.delta["stop_details"], "explanation").to_owned();
        let told = Some(Value::Object(self.usage)).filter(|told| told["input_tokens"].is_number());
        Answer { choices: vec![said], usage: usage(told.as_ref()), ..self.answer }
    }
}

fn finish(reason: &str) -> Option<End> {
    Some(match reason {
        "" => return None,
        "max_tokens" | "model_context_window_exceeded" => End::Length,
        "tool_use" => End::Tools,
        "refusal" => End::Filter,
        "end_turn" | "stop_sequence" | "pause_turn" => End::Stop,
        other => panic!("{other} is no stop reason"),
    })
}

fn usage(told: Option<&Value>) -> Option<Used> {
    let told = told?;
    let read = count(told, "/cache_read_input_tokens");
    let write = count(told, "/cache_creation_input_tokens");
    Some(Used {
        input: count(told, "/input_tokens") + read + write,
        output: count(told, "/output_tokens"),
        cache_read: read,
        cache_write: write,
        reasoning: count(told, "/output_tokens_details/thinking_tokens"),
    })
}
