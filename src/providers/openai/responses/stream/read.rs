//! A provider's stream, read.
use super::super::answer::{Customs, blocks, logprobs, read_citation, read_ending, read_error};
use super::super::usage;
use super::delta::Delta;
use super::told::{Kind, Told};
use crate::providers::chat::{
    Block, Content, Event, Finish, InBand, Memo, Read, Taking, ToolUse, parsed,
};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Reads the stream of a response. It ends with `response.completed`, or with another event that
/// says how the response ended.
#[derive(Debug, Default)]
pub struct Reader {
    begun: bool,
    over: bool,
    customs: Customs,
    /// What was told of items that go on, by their place in the output.
    items: HashMap<u64, Told>,
    /// Whether any item came before the end.
    any: bool,
    /// How many calls there were.
    calls: u32,
}

impl Reader {
    /// Reads from the beginning.
    #[must_use]
    pub fn new(_: &Memo) -> Self {
        Self::default()
    }

    fn begin(&mut self, response: Option<Map<String, Value>>, out: &mut Vec<Event>) {
        if self.begun {
            return;
        }
        self.begun = true;
        let mut response = response.unwrap_or_default();
        self.customs = Customs::of(&response);
        out.push(Event::Start { id: response.take_text("id"), model: response.take_text("model") });
    }

    /// The item at this place.
    fn item(&mut self, at: u64) -> &mut Told {
        self.any = true;
        self.items.entry(at).or_default()
    }

    /// A piece of an item.
    fn piece(&mut self, kind: &str, delta: Delta, out: &mut Vec<Event>) {
        match kind {
            "response.output_text.delta" => self.text(delta, out),
            "response.refusal.delta" => {
                self.item(delta.at).refusal = true;
                out.push(Event::Refusal(0, delta.text));
            }
            "response.reasoning_text.delta" => self.thought(delta, Kind::Own, out),
            "response.reasoning_summary_text.delta" => self.thought(delta, Kind::Summary, out),
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.item(delta.at).arguments(delta.text, out);
            }
            _ => {}
        }
    }

    fn text(&mut self, delta: Delta, out: &mut Vec<Event>) {
        self.item(delta.at).text = true;
        if !delta.text.is_empty() {
            out.push(Event::Text(0, delta.text));
        }
        if let Some(logprobs) = logprobs(delta.logprobs) {
            out.push(Event::Logprobs(0, logprobs));
        }
    }

    /// A piece of a thought, or of its summary: an item that has both tells the one that comes first.
    fn thought(&mut self, delta: Delta, kind: Kind, out: &mut Vec<Event>) {
        let Delta { at, part, mut text, .. } = delta;
        let item = self.item(at);
        if *item.thought.get_or_insert(kind) != kind || text.is_empty() {
            return;
        }
        if kind == Kind::Summary && item.begins(part) {
            text.insert_str(0, "\n\n");
        }
        out.push(Event::Thought(0, text));
    }

    fn citation(&mut self, mut event: Map<String, Value>, out: &mut Vec<Event>) {
        let Some(annotation) = event.take_object("annotation") else { return };
        if let Some(citation) = read_citation(annotation) {
            self.item(event.take_count("output_index").unwrap_or(0)).citations += 1;
            out.push(Event::Citation(0, citation));
        }
    }

    /// An item begins. Of calls this tells the name.
    fn added(&mut self, mut event: Map<String, Value>, out: &mut Vec<Event>) {
        let Some(mut item) = event.take_object("item") else { return };
        self.any = true;
        let at = event.take_count("output_index").unwrap_or(0);
        let mut told = Told::default();
        let kind = item.take_text("type");
        let custom = kind.as_deref() == Some("custom_tool_call");
        if custom || kind.as_deref() == Some("function_call") {
            let name = item.take_text("name").unwrap_or_default();
            if !custom || self.customs.has(&name) {
                let own = item.take_text("id");
                let id = item.take_text("call_id").or(own).unwrap_or_default();
                told.call(self.next_call(), custom);
                out.push(told.start(id, name));
            }
        }
        self.items.insert(at, told);
    }

    fn next_call(&mut self) -> u32 {
        let call = self.calls;
        self.calls = call.saturating_add(1);
        call
    }

    /// All arguments of a call, which stand in this member.
    fn arguments(&mut self, mut event: Map<String, Value>, name: &str, out: &mut Vec<Event>) {
        let Some(all) = event.take_text(name) else { return };
        self.item(event.take_count("output_index").unwrap_or(0)).whole(all, out);
    }

    /// An item is whole: tells what was not told of it.
    fn done(&mut self, at: u64, item: Map<String, Value>, out: &mut Vec<Event>) {
        self.any = true;
        let mut told = self.items.remove(&at).unwrap_or_default();
        let customs = std::mem::take(&mut self.customs);
        for Block { content, .. } in blocks(item, &customs) {
            match content {
                Content::ToolUse(ToolUse { id, name, input, .. }) => {
                    if !told.is_call() {
                        told.call(self.next_call(), false);
                        out.push(told.start(id, name));
                    }
                    told.rest(input, out);
                }
                other => told.missing(other, out),
            }
        }
        self.customs = customs;
    }

    /// The response ended.
    fn ended(&mut self, mut event: Map<String, Value>, out: &mut Vec<Event>) {
        let mut response = event.take_object("response").unwrap_or_default();
        let output = response.take_array("output");
        let usage = response.take_object("usage").and_then(usage::read);
        let finish = read_ending(&mut response, self.calls > 0);
        self.begin(Some(response), out);
        if !self.any {
            for (at, item) in (0_u64..).zip(output) {
                if let Value::Object(item) = item {
                    self.done(at, item, out);
                }
            }
        }
        out.extend(usage.map(Event::Usage));
        let finish = match finish {
            Some(Finish::Stop) if self.calls > 0 => Finish::Tools,
            finish => finish.unwrap_or(Finish::Stop),
        };
        out.push(Event::Finish(0, finish));
        out.push(Event::End);
        self.over = true;
    }

    fn failed(&mut self, event: &Map<String, Value>, out: &mut Vec<Event>) {
        let untold = || InBand { message: "The response failed.".to_owned(), ..InBand::default() };
        out.push(Event::Error(read_error(event).unwrap_or_else(untold)));
        self.over = true;
    }
}

impl Read for Reader {
    fn event(&mut self, name: &[u8], data: &[u8], out: &mut Vec<Event>) {
        if self.over {
            return;
        }
        if let Some((kind, delta)) = Delta::read(name, data) {
            self.begin(None, out);
            return self.piece(&kind, delta, out);
        }
        let Some(mut event) = parsed(data) else { return };
        let named = || String::from_utf8_lossy(name).into_owned();
        let kind = event.take_text("type").unwrap_or_else(named);
        let fails = matches!(kind.as_str(), "response.failed" | "response.cancelled" | "error");
        if fails || event.get("error").is_some_and(|error| !error.is_null()) {
            event.insert("type".to_owned(), "error".into());
            return self.failed(&event, out);
        }
        match kind.as_str() {
            "response.created" | "response.queued" | "response.in_progress" => {
                let response = event.take_object("response");
                return self.begin(response, out);
            }
            "response.completed" | "response.incomplete" => return self.ended(event, out),
            _ => self.begin(None, out),
        }
        match kind.as_str() {
            "response.function_call_arguments.done" => self.arguments(event, "arguments", out),
            "response.custom_tool_call_input.done" => self.arguments(event, "input", out),
            "response.output_text.annotation.added" => self.citation(event, out),
            "response.output_item.added" => self.added(event, out),
            "response.output_item.done" => {
                let at = event.take_count("output_index").unwrap_or(0);
                let Some(item) = event.take_object("item") else { return };
                self.done(at, item, out);
            }
            _ => {
                if let Some(delta) = Delta::of(event) {
                    self.piece(&kind, delta, out);
                }
            }
        }
    }

    /// A response that does not say how it ended is cut.
    fn end(&mut self, _: &mut Vec<Event>) {}
}
