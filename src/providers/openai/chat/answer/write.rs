//! An answer, written for a client.
use super::super::usage;
use super::finish::write_finish;
use crate::providers::chat::{
    Answer, Choice, Citation, Client, Content, Finish, Media, MediaKind, Source, Thought, ToolUse,
};
use serde_json::{Map, Value, json};

/// Writes a chat completion.
#[must_use]
pub fn write_answer(answer: Answer, client: &Client) -> Value {
    let choices = answer.choices.into_iter().enumerate();
    let choices: Vec<Value> =
        choices.map(|(at, choice)| write_choice(at, choice, client)).collect();
    let mut told = json!({
        "id": answer_id(answer.id, client),
        "object": "chat.completion",
        "created": answer.created.unwrap_or(client.created),
        "model": answer.model.unwrap_or_else(|| client.model.clone()),
        "choices": choices,
    });
    if let Some(usage) = &answer.usage {
        told["usage"] = usage::write(usage);
    }
    if let Some(tier) = answer.tier {
        told["service_tier"] = tier.into();
    }
    told
}

/// Ids of other dialects are not OpenAI's: their clients would look for them elsewhere.
pub(in super::super) fn answer_id(told: Option<String>, client: &Client) -> String {
    let foreign = |id: &String| !id.starts_with("msg_") && !id.starts_with("resp_");
    told.filter(foreign).unwrap_or_else(|| format!("chatcmpl-{}", client.id))
}

fn write_choice(at: usize, choice: Choice, client: &Client) -> Value {
    let (mut text, mut refusal) = (String::new(), String::new());
    let (mut thoughts, mut calls) = (Vec::new(), Vec::new());
    let (mut citations, mut images, mut audio) = (Vec::new(), Vec::new(), None);
    for block in choice.blocks {
        match block.content {
            Content::Text(more, cited) => {
                text.push_str(&more);
                citations.extend(cited.iter().map(write_citation));
            }
            Content::Refusal(more) => refusal.push_str(&more),
            Content::Thought(thought) => thoughts.push(thought),
            Content::ToolUse(call) => calls.push(write_call(call)),
            Content::Media(media) if media.kind == MediaKind::Audio => {
                audio = write_audio(media, client);
            }
            Content::Media(media) => images.extend(write_image(&media)),
            Content::ToolResult(_) | Content::Other(_) => {}
        }
    }
    let mut message = Map::new();
    let mut put = |name: &str, value: Value| message.insert(name.to_owned(), value);
    put("role", "assistant".into());
    let thought: String = thoughts.iter().map(|thought| thought.text.as_str()).collect();
    if client.merge_thoughts && !thought.is_empty() {
        text = format!("<think>{thought}</think>\n\n{text}");
        thoughts.clear();
    }
    let silent = text.is_empty() && (!calls.is_empty() || !refusal.is_empty());
    put("content", if silent { Value::Null } else { text.into() });
    write_thoughts(thoughts, thought, &mut put);
    put("refusal", if refusal.is_empty() { Value::Null } else { refusal.into() });
    if let Some(audio) = audio {
        put("audio", audio);
    }
    let finish =
        choice.finish.unwrap_or(if calls.is_empty() { Finish::Stop } else { Finish::Tools });
    for (name, told) in [("tool_calls", calls), ("annotations", citations), ("images", images)] {
        if !told.is_empty() {
            put(name, told.into());
        }
    }
    let mut told = json!({"index": at, "message": message});
    told["logprobs"] = choice.logprobs.unwrap_or_default();
    told["finish_reason"] = write_finish(&finish).into();
    told
}

/// Thoughts as LiteLLM tells them: the words, and the blocks that their provider wants back.
fn write_thoughts(
    thoughts: Vec<Thought>,
    words: String,
    put: &mut impl FnMut(&str, Value) -> Option<Value>,
) {
    if thoughts.is_empty() {
        return;
    }
    if !words.is_empty() {
        put("reasoning_content", words.into());
    }
    let proven = |thought: &Thought| thought.signature.is_some() || thought.hidden.is_some();
    if thoughts.iter().any(proven) {
        let blocks: Vec<Value> = thoughts.into_iter().map(write_thought).collect();
        put("thinking_blocks", blocks.into());
    }
}

fn write_thought(thought: Thought) -> Value {
    match (thought.hidden, thought.signature) {
        (Some(data), _) => json!({"type": "redacted_thinking", "data": data}),
        (None, signature) => {
            let signature = signature.unwrap_or_default();
            json!({"type": "thinking", "thinking": thought.text, "signature": signature})
        }
    }
}

/// One of `tool_calls`.
fn write_call(call: ToolUse) -> Value {
    let input = if call.input.is_empty() { "{}".to_owned() } else { call.input };
    let mut told = json!({
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": input},
    });
    if let Some(signature) = call.signature {
        told["provider_specific_fields"] = json!({"thought_signature": signature});
    }
    told
}

/// One of `annotations`.
pub(in super::super) fn write_citation(told: &Citation) -> Value {
    let (start, end) = told.range.unwrap_or((0, 0));
    let mut citation = json!({
        "url": told.url.as_deref().unwrap_or_default(),
        "title": told.title.as_deref().unwrap_or_default(),
        "start_index": start,
        "end_index": end,
    });
    if let Some(cited) = &told.cited {
        citation["content"] = cited.as_str().into();
    }
    json!({"type": "url_citation", "url_citation": citation})
}

/// What the model said aloud. It is not kept anywhere, so that its id is of this answer alone.
pub(in super::super) fn write_audio(media: Media, client: &Client) -> Option<Value> {
    let Source::Base64(data) = media.source else { return None };
    let id = format!("audio_{}", client.id);
    Some(json!({"id": id, "data": data, "expires_at": client.created, "transcript": ""}))
}

/// A picture that the model made, as OpenRouter hands it out.
fn write_image(media: &Media) -> Option<Value> {
    let url = match &media.source {
        Source::Url(url) => url.clone(),
        Source::Base64(data) => {
            format!("data:{};base64,{data}", media.media_type.as_deref().unwrap_or("image/png"))
        }
        Source::Text(_) | Source::File(_) => return None,
    };
    let is_image = media.kind == MediaKind::Image;
    is_image.then(|| json!({"type": "image_url", "image_url": {"url": url}}))
}
