//! An answer as a response.
use super::super::{free_text, sealed};
use super::citation;
use super::{
    Called, Ending, Envelope, image, message, reasoning, refusal_part, response_id, text_part,
};
use crate::providers::chat::{
    Answer, Block, Citation, Client, Content, Media, Source, Thought, ToolUse, write_value,
};
use serde_json::Value;

/// Writes an answer, the first where there are several.
#[must_use]
pub fn write_answer(answer: Answer, client: &Client) -> Vec<u8> {
    let choice = answer.choices.into_iter().next().unwrap_or_default();
    let refuses = choice.blocks.iter().any(|it| matches!(it.content, Content::Refusal(_)));
    let ending = Ending::of(choice.finish.as_ref(), refuses);
    let mut output = Output { client, items: Vec::new(), count: 0, parts: Vec::new() };
    let logprobs = choice.logprobs.and_then(|mut told| match told.get_mut("content") {
        Some(Value::Array(content)) => Some(std::mem::take(content)),
        _ => None,
    });
    let last = choice.blocks.len().saturating_sub(1);
    let mut logprobs = logprobs.unwrap_or_default();
    for (at, block) in choice.blocks.into_iter().enumerate() {
        let status = if at == last { ending.of_item() } else { "completed" };
        output.block(block, status, &mut logprobs);
    }
    output.flush(ending.of_item());
    let envelope = Envelope {
        id: &response_id(answer.id.as_deref(), client),
        model: answer.model.as_deref().unwrap_or(&client.model),
        created: answer.created.unwrap_or(client.created),
        ending: Some(&ending),
        usage: answer.usage.as_ref(),
        tier: answer.tier.as_deref(),
        echo: &client.echo,
    };
    envelope.around(&output.items)
}

struct Output<'a> {
    client: &'a Client,
    /// Items as JSON, with commas in between.
    items: Vec<u8>,
    /// How many items there are.
    count: usize,
    /// Of a message that is not written yet.
    parts: Vec<Value>,
}

impl Output<'_> {
    fn block(&mut self, block: Block, status: &str, logprobs: &mut Vec<Value>) {
        match block.content {
            Content::Text(text, citations) => {
                // They are of the whole answer's text: its first part has them.
                let annotations = annotations(&text, &citations);
                self.parts.push(text_part(text, annotations, std::mem::take(logprobs)));
            }
            Content::Refusal(refusal) => {
                self.parts.push(refusal_part(refusal));
            }
            Content::Thought(thought) => self.thought(thought),
            Content::ToolUse(call) => self.call(call, status),
            Content::Media(media) => self.media(media),
            Content::ToolResult(_) | Content::Other(_) => {}
        }
    }

    fn id(&self, kind: &str) -> String {
        format!("{kind}_{}{:02}", self.client.id, self.count)
    }

    fn item(&mut self, item: &Value) {
        if self.count > 0 {
            self.items.push(b',');
        }
        self.count += 1;
        write_value(item, &mut self.items);
    }

    /// Writes the message that is not written yet.
    fn flush(&mut self, status: &str) {
        if !self.parts.is_empty() {
            let parts = std::mem::take(&mut self.parts);
            self.item(&message(&self.id("msg"), parts, status));
        }
    }

    fn thought(&mut self, mut thought: Thought) {
        self.flush("completed");
        let encrypted = sealed::write_thought(&mut thought);
        let id = thought.id.take().unwrap_or_else(|| self.id("rs"));
        self.item(&reasoning(&id, thought.text, encrypted));
    }

    fn call(&mut self, told: ToolUse, status: &str) {
        self.flush("completed");
        let ToolUse { id, name, input, signature } = told;
        let id = sealed::write_call(&id, signature.as_deref());
        let called = Called::of(self.client, name);
        let input = match input.as_str() {
            _ if called.custom => free_text::of(input),
            "" => "{}".to_owned(),
            _ => input,
        };
        self.item(&called.item(&self.id(called.prefix()), &id, input, status));
    }

    /// A picture; Responses has no place for sounds and films.
    fn media(&mut self, media: Media) {
        let (Source::Base64(data) | Source::Url(data)) = media.source else { return };
        self.flush("completed");
        self.item(&image(&self.id("ig"), Some(data)));
    }
}

fn annotations(text: &str, citations: &[Citation]) -> Vec<Value> {
    let end = if citations.is_empty() { 0 } else { text.chars().count() };
    let whole = (0, u64::try_from(end).unwrap_or(u64::MAX));
    citations.iter().map(|citation| citation::write(citation, whole)).collect()
}
