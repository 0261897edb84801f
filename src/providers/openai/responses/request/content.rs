//! What messages and results of tools are made of.
use super::super::answer::read_citations;
use super::super::media::{read_audio, read_file, read_image, read_video};
use super::super::member::{list, missing, needed, object, within, wrong};
use crate::providers::chat::{Block, Content, Malformed, Taking, Thought};
use serde_json::{Map, Value, json};

/// Reads a `content` or an `output`: a text, or a list of parts.
pub(super) fn read(told: Option<Value>, place: &str, name: &str) -> Result<Vec<Block>, Malformed> {
    match told {
        None => Err(missing(place, name)),
        Some(Value::String(text)) => Ok(vec![Block::text(text)]),
        Some(Value::Array(parts)) => {
            let place = within(place, name);
            let parts = parts.into_iter().enumerate();
            parts.map(|(at, part)| read_part(part, &format!("{place}[{at}]"))).collect()
        }
        Some(other) => Err(wrong(within(place, name), "a text or a list of parts", &other)),
    }
}

fn read_part(part: Value, place: &str) -> Result<Block, Malformed> {
    let mut part = object(part, place)?;
    let cache = cache(&mut part);
    let kind = part.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let content = match kind.as_str() {
        "input_text" | "output_text" | "text" => {
            let text = needed(&mut part, place, "text")?;
            Content::Text(text, read_citations(list(&mut part, place, "annotations")?))
        }
        "refusal" => Content::Refusal(needed(&mut part, place, "refusal")?),
        "reasoning_text" | "summary_text" => {
            let text = needed(&mut part, place, "text")?;
            Content::Thought(Thought { text, ..Thought::default() })
        }
        "input_image" => Content::Media(read_image(part, place)?),
        "input_file" => Content::Media(read_file(part, place)?),
        "input_audio" => Content::Media(read_audio(part, place)?),
        "input_video" => Content::Media(read_video(part, place)?),
        "" => return Err(missing(place, "type")),
        _ => Content::Other(Value::Object(part)),
    };
    Ok(Block { content, cache })
}

/// A cache hint: OpenAI's own, or Anthropic's as LiteLLM's clients send it.
fn cache(part: &mut Map<String, Value>) -> Option<Value> {
    let own = part.take("prompt_cache_breakpoint").map(|_| json!({"type": "ephemeral"}));
    part.take("cache_control").or(own)
}
