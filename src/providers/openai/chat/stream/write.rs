//! A stream, written for a client.
use super::super::answer::{answer_id, write_audio, write_citation, write_finish};
use super::super::usage;
use crate::providers::chat::{Client, Event, Finish, InBand, Media, MediaKind, Source, Write};
use bartizan_layers::facts::Usage;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::io::Write as _;

/// Writes the chunks of a chat completion.
#[derive(Debug)]
pub struct Writer {
    client: Client,
    /// `"id":…,"created":…,"model":…,"object":…`, made once.
    head: Vec<u8>,
    object: &'static str,
    usage: Option<Usage>,
    /// The answers that began; whether each has called a tool, and whether it is over.
    choices: Vec<Told>,
}

#[derive(Clone, Debug, Default)]
struct Told {
    begun: bool,
    called: bool,
    thinking: bool,
    over: bool,
    /// Calls without a word of arguments.
    silent: Vec<u32>,
}

/// A call that begins, or more of one.
#[derive(Default, Serialize)]
struct Call<'a> {
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    function: Function<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_specific_fields: Option<Proof>,
}

#[derive(Default, Serialize)]
struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

/// What a call has to be sent back with.
#[derive(Serialize)]
struct Proof {
    thought_signature: String,
}

impl Writer {
    /// At the start of a stream.
    #[must_use]
    pub const fn new(client: Client) -> Self {
        let object = "chat.completion.chunk";
        Self { client, head: Vec::new(), object, usage: None, choices: Vec::new() }
    }

    /// At the start of a stream of completions of text.
    pub(in crate::providers::openai) fn of_text(client: Client) -> Self {
        Self { object: "text_completion", ..Self::new(client) }
    }

    /// Notes that somebody else has told why an answer ends.
    pub(in crate::providers::openai) fn is_over(&mut self, choice: u32) {
        self.told(choice).over = true;
    }

    fn begin(&mut self, id: Option<String>, model: Option<String>) {
        if !self.head.is_empty() {
            return;
        }
        let id = Value::from(answer_id(id, &self.client));
        let model = Value::from(model.unwrap_or_else(|| self.client.model.clone()));
        let created = self.client.created;
        self.head =
            format!(r#""id":{id},"created":{created},"model":{model},"object":"{}""#, self.object)
                .into_bytes();
    }

    fn told(&mut self, choice: u32) -> &mut Told {
        let place = usize::try_from(choice).unwrap_or(usize::MAX).min(127);
        if self.choices.len() <= place {
            self.choices.resize(place + 1, Told::default());
        }
        &mut self.choices[place]
    }

    /// Writes a chunk with these `choices` and what `more` there is.
    pub(in crate::providers::openai) fn chunk(
        &mut self,
        out: &mut Vec<u8>,
        choices: &Value,
        more: Option<(&str, Value)>,
    ) {
        self.open(out);
        append(choices, out);
        if let Some((name, value)) = more {
            // Writing to memory does not fail.
            let _written = write!(out, ",\"{name}\":{value}");
        }
        out.extend_from_slice(b"}\n\n");
    }

    /// A chunk up to its choices.
    fn open(&mut self, out: &mut Vec<u8>) {
        self.begin(None, None);
        out.extend_from_slice(b"data: {");
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b",\"choices\":");
    }

    /// Writes a chunk with a piece of an answer: this member of its delta. It is written as it
    /// goes, since most of a stream is such chunks: values would be half of what they cost.
    fn delta(&mut self, choice: u32, name: &str, value: &impl Serialize, out: &mut Vec<u8>) {
        self.open(out);
        // Writing to memory does not fail.
        let _written = write!(out, "[{{\"index\":{choice},\"delta\":{{\"{name}\":");
        append(value, out);
        if !std::mem::replace(&mut self.told(choice).begun, true) {
            out.extend_from_slice(b",\"role\":\"assistant\"");
        }
        out.extend_from_slice(b"},\"finish_reason\":null}]}\n\n");
    }

    /// Text, after the end of a thought that was told as text.
    fn text(&mut self, choice: u32, mut text: String, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.told(choice).thinking) {
            text.insert_str(0, "</think>\n\n");
        }
        self.delta(choice, "content", &text, out);
    }

    fn thought(&mut self, choice: u32, mut text: String, out: &mut Vec<u8>) {
        if !self.client.merge_thoughts {
            return self.delta(choice, "reasoning_content", &text, out);
        }
        if !std::mem::replace(&mut self.told(choice).thinking, true) {
            text.insert_str(0, "<think>");
        }
        self.delta(choice, "content", &text, out);
    }

    fn proof(&mut self, choice: u32, block: &Value, out: &mut Vec<u8>) {
        if !self.client.merge_thoughts {
            self.delta(choice, "thinking_blocks", &[block], out);
        }
    }

    fn finish(&mut self, choice: u32, finish: &Finish, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.told(choice).thinking) {
            self.delta(choice, "content", &"</think>\n\n", out);
        }
        let told = self.told(choice);
        (told.begun, told.over) = (true, true);
        let silent = std::mem::take(&mut told.silent);
        // Clients read the arguments as JSON, which nothing is not; a call that was cut is none.
        for tool in silent.into_iter().filter(|_| *finish != Finish::Length) {
            self.arguments(choice, tool, "{}", out);
        }
        let reason = write_finish(finish);
        self.chunk(out, &json!([{"index": choice, "delta": {}, "finish_reason": reason}]), None);
    }

    fn arguments(&mut self, choice: u32, tool: u32, json: &str, out: &mut Vec<u8>) {
        let function = Function { name: None, arguments: json };
        let call = Call { index: tool, function, ..Call::default() };
        self.delta(choice, "tool_calls", &[call], out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        // A provider may end without a reason; its client waits for one.
        for place in 0..self.choices.len().max(1) {
            let choice = u32::try_from(place).unwrap_or(0);
            let Told { over, called, .. } = *self.told(choice);
            if !over {
                let finish = if called { Finish::Tools } else { Finish::Stop };
                self.finish(choice, &finish, out);
            }
        }
        if self.client.stream_usage
            && let Some(usage) = self.usage
        {
            self.chunk(out, &json!([]), Some(("usage", usage::write(&usage))));
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}

impl Write for Writer {
    fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, model } => self.begin(id, model),
            Event::Text(choice, text) => self.text(choice, text, out),
            Event::Citation(choice, citation) => {
                self.delta(choice, "annotations", &[write_citation(&citation)], out);
            }
            Event::Refusal(choice, text) => self.delta(choice, "refusal", &text, out),
            Event::Thought(choice, text) => self.thought(choice, text, out),
            Event::Signature(choice, signature) => {
                let block = json!({"type": "thinking", "thinking": "", "signature": signature});
                self.proof(choice, &block, out);
            }
            Event::Hidden(choice, data, _) => {
                self.proof(choice, &json!({"type": "redacted_thinking", "data": data}), out);
            }
            Event::ToolUse { choice, tool, id, name, signature } => {
                if std::mem::take(&mut self.told(choice).thinking) {
                    self.delta(choice, "content", &"</think>\n\n", out);
                }
                let told = self.told(choice);
                told.called = true;
                told.silent.push(tool);
                let function = Function { name: Some(&name), arguments: "" };
                let proof = signature.map(|thought_signature| Proof { thought_signature });
                let call = Call {
                    index: tool,
                    id: Some(&id),
                    kind: Some("function"),
                    function,
                    provider_specific_fields: proof,
                };
                self.delta(choice, "tool_calls", &[call], out);
            }
            Event::Arguments { choice, tool, json } => {
                if !json.is_empty() {
                    self.told(choice).silent.retain(|it| *it != tool);
                }
                self.arguments(choice, tool, &json, out);
            }
            Event::Media(choice, media) if media.kind == MediaKind::Audio => {
                if let Some(audio) = write_audio(media, &self.client) {
                    self.delta(choice, "audio", &audio, out);
                }
            }
            Event::Media(choice, media) => {
                if let Some(image) = image(media) {
                    self.delta(choice, "images", &[image], out);
                }
            }
            Event::Logprobs(choice, logprobs) => {
                let told = json!({"index": choice, "delta": {}, "logprobs": logprobs, "finish_reason": null});
                self.chunk(out, &json!([told]), None);
            }
            Event::Finish(choice, finish) => self.finish(choice, &finish, out),
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Error(error) => write_error(&error, out),
            Event::End => self.end(out),
        }
    }
}

fn append(value: &impl Serialize, out: &mut Vec<u8>) {
    // Writing to memory does not fail.
    let _written = serde_json::to_writer(out, value);
}

fn image(media: Media) -> Option<Value> {
    let Source::Base64(data) = media.source else { return None };
    let media_type = media.media_type.as_deref().unwrap_or("image/png");
    let url = format!("data:{media_type};base64,{data}");
    Some(json!({"type": "image_url", "image_url": {"url": url}}))
}

fn write_error(error: &InBand, out: &mut Vec<u8>) {
    let mut told = Map::new();
    told.insert("message".to_owned(), error.message.as_str().into());
    told.insert("type".to_owned(), error.kind.as_deref().into());
    told.insert("param".to_owned(), Value::Null);
    let code = error.status.map_or(Value::Null, |status| status.to_string().into());
    told.insert("code".to_owned(), code);
    // Writing to memory does not fail.
    let _written = write!(out, "data: {}\n\n", json!({"error": told}));
}
