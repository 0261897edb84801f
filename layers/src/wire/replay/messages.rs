//! Anthropic's messages.
use super::{Object, Out, object, read, take_array, take_object};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A message as far as it was told.
#[derive(Default)]
struct Told {
    message: Option<Object>,
    blocks: BTreeMap<u64, Block>,
    stopped: bool,
}

#[derive(Default)]
struct Block {
    block: Object,
    input: String,
}

pub(super) fn whole(stream: &[u8]) -> Option<Object> {
    let mut told = Told::default();
    read(stream, |event| told.add(event))?;
    let mut message = told.message.filter(|_| told.stopped)?;
    let blocks = told.blocks.into_values().map(Block::whole);
    message.insert("content".into(), Value::Array(blocks.collect::<Option<_>>()?));
    Some(message)
}

impl Told {
    fn add(&mut self, mut event: Object) -> Option<()> {
        match event.get("type")?.as_str()? {
            "message_start" => self.message = Some(take_object(&mut event, "message")?),
            "content_block_start" => {
                let block = take_object(&mut event, "content_block")?;
                let index = event.get("index")?.as_u64()?;
                self.blocks.insert(index, Block { block, input: String::new() });
            }
            "content_block_delta" => {
                let delta = take_object(&mut event, "delta")?;
                self.blocks.get_mut(&event.get("index")?.as_u64()?)?.add(delta)?;
            }
            "message_delta" => self.end(event)?,
            "message_stop" => self.stopped = true,
            "ping" | "content_block_stop" => {}
            _ => return None,
        }
        Some(())
    }

    fn end(&mut self, mut event: Object) -> Option<()> {
        let message = self.message.as_mut()?;
        message.extend(take_object(&mut event, "delta").unwrap_or_default());
        let usage = take_object(&mut event, "usage").unwrap_or_default();
        message.entry("usage").or_insert_with(|| json!({})).as_object_mut()?.extend(usage);
        event.remove("type");
        message.extend(event);
        Some(())
    }
}

impl Block {
    fn add(&mut self, mut delta: Object) -> Option<()> {
        let name = match delta.get("type")?.as_str()? {
            "text_delta" => "text",
            "thinking_delta" => "thinking",
            "signature_delta" => "signature",
            "input_json_delta" => {
                self.input.push_str(delta.get("partial_json")?.as_str()?);
                return Some(());
            }
            "citations_delta" => {
                let list = self.block.entry("citations").or_insert(Value::Null);
                if list.is_null() {
                    *list = json!([]);
                }
                list.as_array_mut()?.push(delta.remove("citation")?);
                return Some(());
            }
            _ => return None,
        };
        let piece = delta.get(name)?.as_str()?;
        let before = self.block.get(name).and_then(Value::as_str).unwrap_or_default();
        self.block.insert(name.into(), [before, piece].concat().into());
        Some(())
    }

    fn whole(mut self) -> Option<Value> {
        if !self.input.is_empty() {
            self.block.insert("input".into(), serde_json::from_str(&self.input).ok()?);
        }
        Some(self.block.into())
    }
}

pub(super) fn stream(mut message: Object) -> Option<Out> {
    if message.get("type")? != "message" {
        return None;
    }
    let blocks = take_array(&mut message, "content")?;
    let mut end = json!({ "stop_reason": null, "stop_sequence": null });
    for (name, value) in end.as_object_mut()? {
        *value = message.insert(name.clone(), Value::Null).unwrap_or_default();
    }
    let usage = message.get("usage").cloned().unwrap_or_else(|| json!({}));
    message.insert("content".into(), json!([]));
    if let Some(written) = message.get_mut("usage").and_then(|usage| usage.get_mut("output_tokens"))
    {
        *written = 0.into();
    }
    let mut out = Out::default();
    out.event(&json!({ "type": "message_start", "message": message }));
    for (index, block) in blocks.into_iter().enumerate() {
        tell(&mut out, index, object(block)?);
    }
    out.event(&json!({ "type": "message_delta", "delta": end, "usage": usage }));
    out.event(&json!({ "type": "message_stop" }));
    Some(out)
}

/// Tells a block: empty first, then what is in it.
fn tell(out: &mut Out, index: usize, mut block: Object) {
    let mut deltas = Vec::new();
    for (name, kind) in
        [("thinking", "thinking_delta"), ("signature", "signature_delta"), ("text", "text_delta")]
    {
        if let Some(said) = block.get_mut(name).filter(|said| said.is_string()) {
            let said = std::mem::replace(said, "".into());
            deltas.push(json!({ "type": kind, name: said }));
        }
    }
    for citation in take_array(&mut block, "citations").unwrap_or_default() {
        deltas.push(json!({ "type": "citations_delta", "citation": citation }));
    }
    if let Some(input) = block.get_mut("input") {
        let input = std::mem::replace(input, json!({}));
        deltas.push(json!({ "type": "input_json_delta", "partial_json": input.to_string() }));
    }
    out.event(&json!({ "type": "content_block_start", "index": index, "content_block": block }));
    for delta in deltas {
        out.event(&json!({ "type": "content_block_delta", "index": index, "delta": delta }));
    }
    out.event(&json!({ "type": "content_block_stop", "index": index }));
}
