//! A stream of events. The one with what was used comes last.
use super::plain::{Delta, Piece, plain};
use crate::providers::bedrock::answer::{media, read_finish, redacted};
use crate::providers::bedrock::{citation, error, usage};
use crate::providers::chat::{Event, Finish, Memo, Read, Taking, parsed};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Reads a stream of ConverseStream.
#[derive(Debug)]
pub struct Reader {
    memo: Memo,
    /// The blocks that are open and do not tell themselves, by their indices.
    blocks: HashMap<u64, Open>,
    /// How many tools were called so far.
    tools: u32,
    has_stopped: bool,
    is_over: bool,
}

/// A block that is told.
#[derive(Debug)]
enum Open {
    /// A call: which one, and whether arguments came.
    Tool(u32, bool),
    /// A call of the hidden tool, as of `Tool`.
    Json(bool),
    /// A picture of this format.
    Image(String),
    /// What the provider runs itself.
    Hidden,
}

impl Reader {
    /// For the answer to a request with this memo.
    #[must_use]
    pub fn new(memo: &Memo) -> Self {
        let (blocks, memo) = (HashMap::new(), memo.clone());
        Self { memo, blocks, tools: 0, has_stopped: false, is_over: false }
    }

    fn open(&mut self, mut told: Map<String, Value>, out: &mut Vec<Event>) {
        let block = told.take_count("contentBlockIndex").unwrap_or_default();
        let Some(mut start) = told.take_object("start") else { return };
        let open = if let Some(call) = start.take_object("toolUse") {
            self.call(call, out)
        } else if let Some(mut image) = start.take_object("image") {
            Open::Image(image.take_text("format").unwrap_or_default())
        } else {
            Open::Hidden
        };
        self.blocks.insert(block, open);
    }

    fn call(&mut self, mut call: Map<String, Value>, out: &mut Vec<Event>) -> Open {
        let name = call.take_text("name").unwrap_or_default();
        if call.take_text("type").as_deref() == Some("server_tool_use") {
            return Open::Hidden;
        }
        if Some(name.as_str()) == self.memo.json_tool {
            return Open::Json(false);
        }
        let tool = self.tools;
        self.tools = self.tools.saturating_add(1);
        let (id, name) = (call.take_text("toolUseId").unwrap_or_default(), self.memo.named(name));
        out.push(Event::ToolUse { choice: 0, tool, id, name, signature: None });
        Open::Tool(tool, false)
    }

    fn plain(&mut self, Piece { block, delta }: Piece, out: &mut Vec<Event>) {
        match delta {
            Delta::Text(text) => tell(Some(text), Event::Text, out),
            Delta::ReasoningContent(thought) => tell(Some(thought.text), Event::Thought, out),
            Delta::ToolUse(more) if more.input.is_empty() => {}
            Delta::ToolUse(more) => {
                if let Some(open) = self.blocks.get_mut(&block) {
                    open.more(more.input, out);
                }
            }
        }
    }

    /// A piece of another kind: a thought's proof or cipher, a source, a picture.
    fn delta(&mut self, mut told: Map<String, Value>, out: &mut Vec<Event>) {
        let block = told.take_count("contentBlockIndex").unwrap_or_default();
        let Some(mut delta) = told.take_object("delta") else { return };
        if let Some(mut thought) = delta.take_object("reasoningContent") {
            tell(thought.take_text("text"), Event::Thought, out);
            tell(thought.take_text("signature"), Event::Signature, out);
            let hidden = thought.take_text("redactedContent").map(redacted);
            out.extend(hidden.map(|cipher| Event::Hidden(0, cipher, None)));
        }
        out.extend(delta.take_object("citation").map(|it| Event::Citation(0, citation::read(it))));
        if let (Some(mut image), Some(Open::Image(format))) =
            (delta.take_object("image"), self.blocks.get(&block))
        {
            image.insert("format".to_owned(), format.as_str().into());
            out.extend(media(image).map(|picture| Event::Media(0, picture)));
        }
    }

    fn close(&mut self, mut told: Map<String, Value>, out: &mut Vec<Event>) {
        let block = told.take_count("contentBlockIndex").unwrap_or_default();
        let open = self.blocks.remove(&block);
        if let Some(mut open @ (Open::Tool(_, false) | Open::Json(false))) = open {
            // Of a call without arguments none are told.
            open.more("{}".to_owned(), out);
        }
    }

    fn stop(&mut self, mut told: Map<String, Value>, out: &mut Vec<Event>) {
        let Some(reason) = told.take_text("stopReason") else { return };
        self.has_stopped = true;
        let finish = match read_finish(reason) {
            // Of the hidden tool alone.
            Finish::Tools if self.memo.json_tool.is_some() && self.tools == 0 => Finish::Stop,
            finish => finish,
        };
        out.push(Event::Finish(0, finish));
    }

    fn metadata(&mut self, mut told: Map<String, Value>, out: &mut Vec<Event>) {
        out.extend(told.take_object("usage").map(|used| Event::Usage(usage::read(used))));
        if self.has_stopped {
            self.finish(out);
        }
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        self.is_over = true;
        out.push(Event::End);
    }
}

impl Open {
    fn more(&mut self, json: String, out: &mut Vec<Event>) {
        match self {
            Self::Tool(tool, has_more) => {
                *has_more = true;
                out.push(Event::Arguments { choice: 0, tool: *tool, json });
            }
            Self::Json(has_more) => {
                *has_more = true;
                out.push(Event::Text(0, json));
            }
            Self::Image(_) | Self::Hidden => {}
        }
    }
}

fn tell(text: Option<String>, event: impl FnOnce(u32, String) -> Event, out: &mut Vec<Event>) {
    out.extend(text.filter(|text| !text.is_empty()).map(|text| event(0, text)));
}

impl Read for Reader {
    fn event(&mut self, name: &[u8], data: &[u8], out: &mut Vec<Event>) {
        if self.is_over {
            return;
        }
        let name = std::str::from_utf8(name).unwrap_or_default();
        if let Some(failure) = error::exception(name, data) {
            self.is_over = true;
            return out.push(Event::Error(failure));
        }
        if name == "contentBlockDelta"
            && let Some(piece) = plain(data)
        {
            return self.plain(piece, out);
        }
        let Some(told) = parsed(data) else { return };
        match name {
            "messageStart" => out.push(Event::Start { id: None, model: None }),
            "contentBlockStart" => self.open(told, out),
            "contentBlockDelta" => self.delta(told, out),
            "contentBlockStop" => self.close(told, out),
            "messageStop" => self.stop(told, out),
            "metadata" => self.metadata(told, out),
            _ => {}
        }
    }

    /// An answer that has said why it ends lacks at most what it used.
    fn end(&mut self, out: &mut Vec<Event>) {
        if self.has_stopped && !self.is_over {
            self.finish(out);
        }
    }
}
