//! Ollama's own chat.
use super::frames::lines;
use super::said::{Answer, Call, End, Used, count, list, text};
use serde_json::Value;

/// Reads a whole answer.
pub(super) fn whole(body: &Value) -> Answer {
    read(std::slice::from_ref(body))
}

/// Reads a stream.
pub(super) fn stream(stream: &str) -> Answer {
    read(&lines(stream))
}

fn read(pieces: &[Value]) -> Answer {
    let mut answer = Answer::default();
    for piece in pieces {
        let said = answer.choice(0);
        let message = &piece["message"];
        said.text.push_str(text(message, "content"));
        said.thought.push_str(text(message, "thinking"));
        // Those of `/api/generate` have no message.
        said.text.push_str(text(piece, "response"));
        said.thought.push_str(text(piece, "thinking"));
        said.media.extend(list(message, "images").filter_map(Value::as_str).map(str::to_owned));
        for call in list(message, "tool_calls") {
            let function = &call["function"];
            let mut read = Call::new(text(call, "id"), text(function, "name"), "");
            read.input = function["arguments"].clone();
            said.calls.push(read);
        }
        if piece["done"] == true {
            said.finish = Some(match text(piece, "done_reason") {
                "length" => End::Length,
                "content_filter" => End::Filter,
                _ => End::Stop,
            });
            answer.ended = true;
            answer.usage = Some(Used {
                input: count(piece, "/prompt_eval_count"),
                output: count(piece, "/eval_count"),
                ..Used::default()
            });
        }
        if let Some(error) = piece["error"].as_str() {
            answer.error = Some(error.to_owned());
        }
    }
    answer
}
