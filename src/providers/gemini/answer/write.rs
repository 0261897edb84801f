//! An answer for a client.
use crate::providers::chat::{
    Answer, Block, Choice, Client, Content, Lost, Media, Thought, ToolUse, object,
};
use crate::providers::gemini::grounding::Grounding;
use crate::providers::gemini::ruler::Ruler;
use crate::providers::gemini::{finish, ids, logprobs, media, part, usage};
use serde_json::{Map, Value};

/// Writes a `GenerateContentResponse`.
#[must_use]
pub fn write_answer(answer: Answer, client: &Client) -> Value {
    let mut body = Map::new();
    let choices = answer.choices.into_iter().enumerate();
    let candidates = choices.map(|(index, choice)| candidate(index, choice));
    body.insert("candidates".to_owned(), candidates.collect());
    if let Some(used) = &answer.usage {
        let used = usage::write(used, answer.tier.as_deref());
        body.insert("usageMetadata".to_owned(), used);
    }
    let model = answer.model.unwrap_or_else(|| client.model.clone());
    body.insert("modelVersion".to_owned(), model.into());
    let id = answer.id.unwrap_or_else(|| client.id.clone());
    body.insert("responseId".to_owned(), id.into());
    Value::Object(body)
}

fn candidate(index: usize, choice: Choice) -> Value {
    let mut grounding = Grounding::default();
    let cut = |block: &Block| matches!(&block.content, Content::ToolUse(call) if !call.is_whole());
    let broken = choice.blocks.iter().any(cut);
    let parts = parts(choice.blocks, &mut grounding);
    let content = object([("parts", parts.into()), ("role", "model".into())]);
    let mut candidate = Map::new();
    candidate.insert("content".to_owned(), content);
    if let Some(finish) = &choice.finish {
        candidate.insert("finishReason".to_owned(), finish::write(finish, broken).into());
    }
    candidate.insert("index".to_owned(), index.into());
    if let Some(grounding) = grounding.into_value() {
        candidate.insert("groundingMetadata".to_owned(), grounding);
    }
    if let Some(logprobs) = choice.logprobs.and_then(logprobs::write) {
        candidate.insert("logprobsResult".to_owned(), logprobs);
    }
    Value::Object(candidate)
}

fn parts(blocks: Vec<Block>, grounding: &mut Grounding) -> Vec<Value> {
    let mut parts = Vec::with_capacity(blocks.len());
    // Of a thought that is not told: it stands at the part after it.
    let mut proof: Option<String> = None;
    for block in blocks {
        let written = match block.content {
            Content::Text(text, citations) => {
                if !citations.is_empty() {
                    let ruler = Ruler::of(&text);
                    for citation in citations {
                        grounding.add(citation, parts.len(), &ruler);
                    }
                }
                text_part(text, proof.take())
            }
            Content::Refusal(text) => text_part(text, proof.take()),
            Content::Media(media) => signed(media_part(media), proof.take()),
            other => {
                if let Some(proof) = proof.take() {
                    parts.push(text_part(String::new(), Some(proof)));
                }
                match other {
                    Content::Thought(thought) if thought.hidden.is_some() => {
                        sealed_thought(thought, &mut parts);
                        continue;
                    }
                    Content::Thought(Thought { text, signature, .. }) if text.is_empty() => {
                        proof = signature.filter(|proof| ids::is_base64(proof));
                        continue;
                    }
                    other => match other_part(other) {
                        Some(part) => part,
                        None => continue,
                    },
                }
            }
        };
        parts.push(written);
    }
    if let Some(proof) = proof {
        parts.push(text_part(String::new(), Some(proof)));
    }
    parts
}

/// A part that has its own signature, or none.
fn other_part(content: Content) -> Option<Value> {
    match content {
        Content::Thought(thought) => Some(thought_part(thought)),
        Content::ToolUse(call) if call.is_whole() => Some(call_part(&call)),
        Content::Other(Value::Object(own)) if part::is_other(&own) => Some(Value::Object(own)),
        _ => None,
    }
}

fn text_part(text: String, proof: Option<String>) -> Value {
    signed(object([("text", text.into())]), proof)
}

fn thought_part(thought: Thought) -> Value {
    let part = object([("text", thought.text.into()), ("thought", true.into())]);
    signed(part, thought.signature)
}

/// What is told of a thought, and its cipher behind that.
fn sealed_thought(mut thought: Thought, parts: &mut Vec<Value>) {
    let cipher = thought.hidden.take();
    let sealed = cipher.map(|cipher| sealed_part(&cipher, thought.id.as_deref()));
    if !thought.text.is_empty() {
        parts.push(thought_part(thought));
    }
    parts.extend(sealed);
}

/// A thought in another provider's cipher, as a part that says nothing.
pub(crate) fn sealed_part(cipher: &str, id: Option<&str>) -> Value {
    text_part(String::new(), Some(ids::sealed(cipher, id)))
}

/// A picture or sound, as a part.
pub(crate) fn media_part(media: Media) -> Value {
    // An answer has no hints.
    Value::Object(media::part(media, &mut Lost::default()))
}

/// A call, as a part. Ids that were made for other dialects are left out.
pub(crate) fn call_part(call: &ToolUse) -> Value {
    let (id, in_id) = ids::split(&call.id);
    let mut written =
        object([("name", call.name.as_str().into()), ("args", Value::Object(call.object()))]);
    if let Some(members) = written.as_object_mut().filter(|_| !id.is_empty() && !ids::is_made(id)) {
        members.insert("id".to_owned(), id.into());
    }
    let proof = call.signature.as_deref().or(in_id).map(str::to_owned);
    signed(object([("functionCall", written)]), proof)
}

/// A part with a signature that Google's clients can decode.
fn signed(mut part: Value, proof: Option<String>) -> Value {
    let proof = proof.filter(|proof| ids::is_base64(proof));
    if let (Some(proof), Some(members)) = (proof, part.as_object_mut()) {
        members.insert("thoughtSignature".to_owned(), proof.into());
    }
    part
}
