//! OpenAI's responses: the last event of a stream has all of it.
use super::{Object, Out, read, take_object};
use serde_json::{Value, json};

pub(super) fn whole(stream: &[u8]) -> Option<Object> {
    let mut response = None;
    read(stream, |mut event| {
        match event.get("type")?.as_str()? {
            "response.completed" => response = take_object(&mut event, "response"),
            "error" | "response.failed" | "response.incomplete" => return None,
            _ => {}
        }
        Some(())
    })?;
    response
}

pub(super) fn stream(whole: &Object) -> Option<Out> {
    if whole.get("object")? != "response" || whole.get("status")? != "completed" {
        return None;
    }
    let items = whole.get("output")?.as_array()?;
    let mut begun = whole.clone();
    begun.insert("status".into(), "in_progress".into());
    begun.insert("output".into(), json!([]));
    begun.insert("usage".into(), Value::Null);
    let mut tale = Tale::default();
    for kind in ["created", "in_progress"] {
        tale.tell(kind, json!({ "response": begun }));
    }
    for (index, item) in items.iter().enumerate() {
        tale.item(index, item);
    }
    tale.tell("completed", json!({ "response": whole }));
    Some(tale.out)
}

/// Events in their order.
#[derive(Default)]
struct Tale {
    out: Out,
    told: u64,
}

impl Tale {
    fn tell(&mut self, kind: &str, mut event: Value) {
        event["type"] = format!("response.{kind}").into();
        event["sequence_number"] = self.told.into();
        self.told += 1;
        self.out.event(&event);
    }

    /// An item: empty first, then what is in it, then all of it.
    fn item(&mut self, index: usize, item: &Value) {
        let mut begun = item.clone();
        for (name, empty) in
            [("content", json!([])), ("summary", json!([])), ("arguments", "".into())]
        {
            if let Some(value) = begun.get_mut(name).filter(|value| !value.is_null()) {
                *value = empty;
            }
        }
        if let Some(status) = begun.get_mut("status") {
            *status = "in_progress".into();
        }
        self.tell("output_item.added", json!({ "output_index": index, "item": begun }));
        let place = json!({ "output_index": index, "item_id": item["id"] });
        for (at, part) in item["summary"].as_array().into_iter().flatten().enumerate() {
            let place = with(&place, "summary_index", at.into());
            self.part("reasoning_summary_part", "reasoning_summary_text", "text", &place, part);
        }
        for (at, part) in item["content"].as_array().into_iter().flatten().enumerate() {
            let place = with(&place, "content_index", at.into());
            let (kind, field) = match part["type"].as_str() {
                Some("refusal") => ("refusal", "refusal"),
                Some("reasoning_text") => ("reasoning_text", "text"),
                _ => ("output_text", "text"),
            };
            self.part("content_part", kind, field, &place, part);
        }
        if let Some(arguments) = item.get("arguments").filter(|arguments| arguments.is_string()) {
            let kind = if item["type"] == "mcp_call" { "mcp_call" } else { "function_call" };
            self.text(&format!("{kind}_arguments"), "arguments", &place, arguments);
        }
        self.tell("output_item.done", json!({ "output_index": index, "item": item }));
    }

    fn part(&mut self, kind: &str, text: &str, field: &str, place: &Value, part: &Value) {
        let mut begun = part.clone();
        begun[field] = "".into();
        let notes = begun.get_mut("annotations").map(Value::take);
        if notes.is_some() {
            begun["annotations"] = json!([]);
        }
        self.tell(&format!("{kind}.added"), with(place, "part", begun));
        self.text(text, field, place, &part[field]);
        for (at, note) in notes.iter().filter_map(Value::as_array).flatten().enumerate() {
            let note =
                with(&with(place, "annotation_index", at.into()), "annotation", note.clone());
            self.tell("output_text.annotation.added", note);
        }
        self.tell(&format!("{kind}.done"), with(place, "part", part.clone()));
    }

    fn text(&mut self, kind: &str, field: &str, place: &Value, text: &Value) {
        self.tell(&format!("{kind}.delta"), with(place, "delta", text.clone()));
        self.tell(&format!("{kind}.done"), with(place, field, text.clone()));
    }
}

fn with(place: &Value, name: &str, value: Value) -> Value {
    let mut event = place.clone();
    event[name] = value;
    event
}
