//! What was told of an item of the output.
use super::super::free_text;
use crate::providers::chat::{Content, Event};

/// Which words of a thought are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The model's.
    Own,
    /// A summary's.
    Summary,
}

/// What the events of an item have told so far.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Whether there was text.
    pub(super) text: bool,
    /// Whether there was a refusal.
    pub(super) refusal: bool,
    /// How many citations there were.
    pub(super) citations: usize,
    /// What its thought was told in.
    pub(super) thought: Option<Kind>,
    /// Which part of a summary is told.
    part: Option<u64>,
    call: Option<Call>,
}

#[derive(Debug)]
struct Call {
    tool: u32,
    /// Whether its input is free text.
    custom: bool,
    /// Whether any of its arguments were told.
    begun: bool,
    /// Whether all of them were.
    whole: bool,
}

impl Told {
    /// Whether another `part` of a summary begins now.
    pub(super) fn begins(&mut self, part: u64) -> bool {
        self.part.replace(part).is_some_and(|last| last != part)
    }

    /// It is the call with this number.
    pub(super) fn call(&mut self, tool: u32, custom: bool) {
        self.call = Some(Call { tool, custom, begun: false, whole: false });
    }

    pub(super) const fn is_call(&self) -> bool {
        self.call.is_some()
    }

    /// The call's first event.
    pub(super) fn start(&self, id: String, name: String) -> Event {
        let tool = self.call.as_ref().map_or(0, |call| call.tool);
        Event::ToolUse { choice: 0, tool, id, name, signature: None }
    }

    /// More of a call's arguments, or of the text for a custom tool.
    pub(super) fn arguments(&mut self, piece: String, out: &mut Vec<Event>) {
        let Some(call) = self.call.as_mut().filter(|call| !call.whole) else { return };
        if piece.is_empty() {
            return;
        }
        let json = if call.custom {
            let head = if call.begun { "" } else { r#"{"input":""# };
            format!("{head}{}", escaped(&piece))
        } else {
            piece
        };
        call.begun = true;
        out.push(Event::Arguments { choice: 0, tool: call.tool, json });
    }

    /// All of them.
    pub(super) fn whole(&mut self, all: String, out: &mut Vec<Event>) {
        let custom = self.call.as_ref().is_some_and(|call| call.custom);
        self.rest(if custom { free_text::arguments(&all) } else { all }, out);
    }

    /// All of them as JSON: tells what is missing.
    pub(super) fn rest(&mut self, all: String, out: &mut Vec<Event>) {
        let Some(call) = self.call.as_mut().filter(|call| !call.whole) else { return };
        call.whole = true;
        let json = match (call.begun, call.custom) {
            (false, _) => all,
            (true, true) => r#""}"#.to_owned(),
            (true, false) => return,
        };
        if !json.is_empty() {
            out.push(Event::Arguments { choice: 0, tool: call.tool, json });
        }
    }

    /// Tells of the whole item's content what its events did not.
    pub(super) fn missing(&mut self, content: Content, out: &mut Vec<Event>) {
        match content {
            Content::Text(text, citations) => {
                if !self.text && !text.is_empty() {
                    out.push(Event::Text(0, text));
                }
                let told = self.citations.min(citations.len());
                self.citations -= told;
                let citations = citations.into_iter().skip(told);
                out.extend(citations.map(|citation| Event::Citation(0, citation)));
            }
            Content::Refusal(refusal) if !self.refusal => out.push(Event::Refusal(0, refusal)),
            Content::Thought(thought) => {
                if self.thought.is_none() && !thought.text.is_empty() {
                    out.push(Event::Thought(0, thought.text));
                }
                if let Some(hidden) = thought.hidden {
                    out.push(Event::Hidden(0, hidden, thought.id));
                } else if let Some(signature) = thought.signature {
                    out.push(Event::Signature(0, signature));
                }
            }
            Content::Media(media) => out.push(Event::Media(0, media)),
            _ => {}
        }
    }
}

/// A text as it stands between the quotes of JSON.
fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}
