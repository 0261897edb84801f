//! A call of a tool in a stream.
use super::super::super::answer::Called;
use super::super::super::free_text::FreeText;
use super::item::Item;
use super::lines::Lines;
use serde_json::Value;

/// A call while it grows.
#[derive(Debug)]
pub(super) struct Call {
    item: Item,
    /// What its result will name.
    id: String,
    tool: Called,
    input: Input,
}

#[derive(Debug)]
enum Input {
    /// Arguments in JSON.
    Json(String),
    /// Text for a custom tool.
    Free(Box<FreeText>),
}

impl Call {
    /// Begins a call.
    pub(super) fn new(
        item: Item,
        id: String,
        tool: Called,
        lines: &mut Lines,
        out: &mut Vec<u8>,
    ) -> Self {
        let input = match tool.custom {
            true => Input::Free(Box::default()),
            false => Input::Json(String::new()),
        };
        item.added(&tool.item(&item.id, &id, String::new(), "in_progress"), lines, out);
        Self { item, id, tool, input }
    }

    /// More of its arguments.
    pub(super) fn more(&mut self, json: &str, lines: &mut Lines, out: &mut Vec<u8>) {
        let (kind, delta) = match &mut self.input {
            Input::Json(whole) => {
                whole.push_str(json);
                ("response.function_call_arguments.delta", json)
            }
            Input::Free(text) => ("response.custom_tool_call_input.delta", text.push(json)),
        };
        if !delta.is_empty() {
            self.item.event(kind, lines, out).text("delta", delta).end();
        }
    }

    /// Ends the call: gives its place and what it is.
    pub(super) fn end(self, status: &str, lines: &mut Lines, out: &mut Vec<u8>) -> (u64, Value) {
        let Self { item, id, tool, input } = self;
        let input = match input {
            Input::Json(mut json) => {
                if json.is_empty() {
                    "{}".clone_into(&mut json);
                }
                let event = item.event("response.function_call_arguments.done", lines, out);
                event.text("name", &tool.name).text("arguments", &json).end();
                json
            }
            Input::Free(text) => {
                let (text, told) = text.end();
                if let Some(rest) = text.get(told..).filter(|rest| !rest.is_empty()) {
                    let event = item.event("response.custom_tool_call_input.delta", lines, out);
                    event.text("delta", rest).end();
                }
                let event = item.event("response.custom_tool_call_input.done", lines, out);
                event.text("input", &text).end();
                text
            }
        };
        (item.index, tool.item(&item.id, &id, input, status))
    }
}
