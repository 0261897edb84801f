//! A provider's stream.
use super::super::carried::hidden;
use super::super::citation::read_citation;
use super::super::failure::in_band;
use super::super::finish::read_finish;
use super::super::usage::Report;
use super::plain::{Piece, plain};
use crate::providers::chat::{Event, Finish, InBand, Memo, Read, Taking, parsed};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Reads a stream of this dialect. It ends with `message_stop`.
#[derive(Debug)]
pub struct Reader {
    json_tool: Option<&'static str>,
    /// The blocks that are open, by their indices.
    blocks: HashMap<u64, Open>,
    /// How many tools were called so far.
    tools: u32,
    usage: Report,
    has_started: bool,
    is_over: bool,
}

/// A block that is told.
#[derive(Debug)]
enum Open {
    /// A call: which one, and the arguments that came with its start, until others come.
    Tool(u32, Option<String>),
    /// A call of the hidden tool, as of `Tool`.
    Json(Option<String>),
    /// What tells itself, or is not told.
    Plain,
}

impl Reader {
    /// A reader for the answer to a request of which `memo` was kept.
    #[must_use]
    pub fn new(memo: &Memo) -> Self {
        Self {
            json_tool: memo.json_tool,
            blocks: HashMap::new(),
            tools: 0,
            usage: Report::default(),
            has_started: false,
            is_over: false,
        }
    }

    fn start(&mut self, mut event: Map<String, Value>, out: &mut Vec<Event>) {
        let mut message = event.take_object("message").unwrap_or_default();
        if !self.has_started {
            self.has_started = true;
            let (id, model) = (message.take_text("id"), message.take_text("model"));
            out.push(Event::Start { id, model });
        }
        self.count(&mut message, out);
    }

    fn count(&mut self, holder: &mut Map<String, Value>, out: &mut Vec<Event>) {
        if let Some(usage) = holder.take_object("usage") {
            self.usage.merge(usage);
            out.push(Event::Usage(self.usage.usage()));
        }
    }

    fn open(&mut self, mut event: Map<String, Value>, out: &mut Vec<Event>) {
        let index = event.take_count("index").unwrap_or_default();
        let mut block = event.take_object("content_block").unwrap_or_default();
        let kind = block.take_text("type").unwrap_or_default();
        let open = match kind.as_str() {
            "text" => {
                tell(block.take_text("text"), |text| Event::Text(0, text), out);
                Open::Plain
            }
            "thinking" => {
                tell(block.take_text("thinking"), |text| Event::Thought(0, text), out);
                tell(block.take_text("signature"), |proof| Event::Signature(0, proof), out);
                Open::Plain
            }
            "redacted_thinking" => {
                let thought = hidden(block.take_text("data").unwrap_or_default());
                out.extend(thought.hidden.map(|data| Event::Hidden(0, data, thought.id)));
                Open::Plain
            }
            "tool_use" => self.call(block, out),
            _ => Open::Plain,
        };
        self.blocks.insert(index, open);
    }

    fn call(&mut self, mut block: Map<String, Value>, out: &mut Vec<Event>) -> Open {
        let name = block.take_text("name").unwrap_or_default();
        let input = block.take_object("input").unwrap_or_default();
        // Deltas follow, or nothing does: then this is all.
        let input = Some(Value::Object(input).to_string());
        if Some(name.as_str()) == self.json_tool {
            return Open::Json(input);
        }
        let tool = self.tools;
        self.tools = self.tools.saturating_add(1);
        let id = block.take_text("id").unwrap_or_default();
        out.push(Event::ToolUse { choice: 0, tool, id, name, signature: None });
        Open::Tool(tool, input)
    }

    /// A piece of text, of a thought or of arguments.
    fn plain(&mut self, Piece { index, delta, .. }: Piece<'_>, out: &mut Vec<Event>) {
        match delta.kind {
            "text_delta" => tell(delta.text, |text| Event::Text(0, text), out),
            "thinking_delta" => tell(delta.thinking, |text| Event::Thought(0, text), out),
            _ => self.more(index.unwrap_or_default(), delta.partial_json, out),
        }
    }

    fn more(&mut self, index: u64, json: Option<String>, out: &mut Vec<Event>) {
        let json = json.filter(|json| !json.is_empty());
        if let (Some(json), Some(open)) = (json, self.blocks.get_mut(&index)) {
            open.more(json, out);
        }
    }

    fn delta(&mut self, mut event: Map<String, Value>, out: &mut Vec<Event>) {
        let index = event.take_count("index").unwrap_or_default();
        let Some(mut delta) = event.take_object("delta") else { return };
        match delta.get("type").and_then(Value::as_str).unwrap_or_default() {
            "text_delta" => tell(delta.take_text("text"), |text| Event::Text(0, text), out),
            "thinking_delta" => {
                tell(delta.take_text("thinking"), |text| Event::Thought(0, text), out);
            }
            "signature_delta" => {
                tell(delta.take_text("signature"), |proof| Event::Signature(0, proof), out);
            }
            "citations_delta" => {
                let citation = delta.take_object("citation").map(read_citation);
                out.extend(citation.map(|citation| Event::Citation(0, citation)));
            }
            "input_json_delta" => self.more(index, delta.take_text("partial_json"), out),
            _ => {}
        }
    }

    fn close(&mut self, mut event: Map<String, Value>, out: &mut Vec<Event>) {
        let index = event.take_count("index").unwrap_or_default();
        if let Some(open) = self.blocks.remove(&index) {
            open.end(out);
        }
    }

    fn finish(&mut self, mut event: Map<String, Value>, out: &mut Vec<Event>) {
        let mut delta = event.take_object("delta").unwrap_or_default();
        if let Some(reason) = delta.take_text("stop_reason") {
            let finish = match read_finish(&reason, delta.take_text("stop_sequence")) {
                // Of the hidden tool alone.
                Finish::Tools if self.json_tool.is_some() && self.tools == 0 => Finish::Stop,
                finish => finish,
            };
            if finish == Finish::Refusal {
                let why = delta.take_object("stop_details");
                let why = why.and_then(|mut details| details.take_text("explanation"));
                tell(why, |why| Event::Refusal(0, why), out);
            }
            out.push(Event::Finish(0, finish));
        }
        self.count(&mut event, out);
    }
}

impl Open {
    fn more(&mut self, json: String, out: &mut Vec<Event>) {
        match self {
            Self::Tool(tool, whole) => {
                *whole = None;
                out.push(Event::Arguments { choice: 0, tool: *tool, json });
            }
            Self::Json(whole) => {
                *whole = None;
                out.push(Event::Text(0, json));
            }
            Self::Plain => {}
        }
    }

    fn end(mut self, out: &mut Vec<Event>) {
        if let Self::Tool(_, whole) | Self::Json(whole) = &mut self
            && let Some(json) = whole.take()
        {
            self.more(json, out);
        }
    }
}

fn tell(text: Option<String>, event: impl FnOnce(String) -> Event, out: &mut Vec<Event>) {
    out.extend(text.filter(|text| !text.is_empty()).map(event));
}

impl Read for Reader {
    fn event(&mut self, name: &[u8], data: &[u8], out: &mut Vec<Event>) {
        if self.is_over {
            return;
        }
        if let Some(piece) = plain(name, data) {
            return self.plain(piece, out);
        }
        let Some(mut event) = parsed(data) else { return };
        let kind = event.take_text("type");
        let kind = kind.as_deref().or_else(|| std::str::from_utf8(name).ok());
        match kind.unwrap_or_default() {
            "message_start" => self.start(event, out),
            "content_block_start" => self.open(event, out),
            "content_block_delta" => self.delta(event, out),
            "content_block_stop" => self.close(event, out),
            "message_delta" => self.finish(event, out),
            "message_stop" => {
                self.is_over = true;
                out.push(Event::End);
            }
            "error" => {
                self.is_over = true;
                let error: InBand = in_band(event);
                out.push(Event::Error(error));
            }
            _ => {}
        }
    }

    /// Nothing: a stream that ends without `message_stop` is cut.
    fn end(&mut self, _out: &mut Vec<Event>) {}
}
