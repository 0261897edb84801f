//! A stream of version 1: lines whose `event_type` says what they are. `stream-end` ends it.
use crate::providers::chat::{Event, Taking};
use crate::providers::cohere::answer::{after_calls, read_calls, read_finish};
use crate::providers::cohere::{citation, error, usage};
use serde_json::{Map, Value};

/// What was told so far.
#[derive(Debug, Default)]
pub(super) struct VersionOne {
    id: String,
    started: bool,
    calls: usize,
    /// Whether there was text: what a list of calls repeats of it is left out.
    spoke: bool,
}

impl VersionOne {
    /// Takes the next line. Whether more can follow.
    pub(super) fn take(
        &mut self,
        kind: &str,
        mut told: Map<String, Value>,
        out: &mut Vec<Event>,
    ) -> bool {
        if !self.started {
            self.started = true;
            let id = told.take_text("generation_id");
            self.id = id.clone().unwrap_or_default();
            out.push(Event::Start { id, model: None });
        }
        match kind {
            "text-generation" | "tool-calls-chunk" => self.text(told, out),
            "tool-calls-generation" => {
                let calls = told.take_array("tool_calls");
                if !self.spoke {
                    self.text(told, out);
                }
                self.call(calls, out);
            }
            "citation-generation" => {
                let told = told.take_array("citations").into_iter().filter_map(citation::read);
                let citations = told.flat_map(|cited| cited.citations);
                out.extend(citations.map(|citation| Event::Citation(0, citation)));
            }
            "stream-end" => {
                self.end(told, out);
                return false;
            }
            _ => {}
        }
        true
    }

    fn text(&mut self, mut told: Map<String, Value>, out: &mut Vec<Event>) {
        if let Some(text) = told.take_text("text").filter(|text| !text.is_empty()) {
            self.spoke = true;
            out.push(Event::Text(0, text));
        }
    }

    fn call(&mut self, told: Vec<Value>, out: &mut Vec<Event>) {
        for call in read_calls(told, &self.id, self.calls) {
            let tool = u32::try_from(self.calls).unwrap_or(u32::MAX);
            self.calls += 1;
            let (id, name) = (call.id, call.name);
            out.push(Event::ToolUse { choice: 0, tool, id, name, signature: None });
            out.push(Event::Arguments { choice: 0, tool, json: call.input });
        }
    }

    fn end(&mut self, mut told: Map<String, Value>, out: &mut Vec<Event>) {
        let mut answer = told.take_object("response").unwrap_or_default();
        if self.calls == 0 {
            self.call(answer.take_array("tool_calls"), out);
        }
        out.extend(answer.take_object("meta").and_then(usage::read).map(Event::Usage));
        if let Some(failure) = error::of_ending(&mut told) {
            return out.push(Event::Error(failure));
        }
        let finish = told.take_text("finish_reason").or_else(|| answer.take_text("finish_reason"));
        let finish = after_calls(finish.map(read_finish), self.calls > 0);
        out.extend(finish.map(|finish| Event::Finish(0, finish)));
        out.push(Event::End);
    }
}
