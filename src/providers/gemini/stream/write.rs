//! A client's stream: `GenerateContentResponse`s as events, or as a list.
use crate::providers::chat::{Client, Event, Finish, InBand, ToolUse, Write, object, write_text};
use crate::providers::gemini::answer::{call_part, media_part, sealed_part};
use crate::providers::gemini::grounding::Grounding;
use crate::providers::gemini::ruler::Ruler;
use crate::providers::gemini::{failure, finish, ids, logprobs, usage};
use bartizan_layers::facts::Usage;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Writes Gemini's stream. Calls are written whole, when they are.
#[derive(Debug)]
pub struct Writer {
    client: Client,
    /// The end of each response: what names the answer and its model.
    tail: Vec<u8>,
    /// Whether there was a response, and whether there will be none.
    begun: bool,
    over: bool,
    usage: Option<Usage>,
    choices: BTreeMap<u32, Choice>,
}

/// One of the answers, so far.
#[derive(Debug, Default)]
struct Choice {
    call: Option<(u32, ToolUse)>,
    /// Whether a call was left out.
    broken: bool,
    finish: Option<Finish>,
    text: Ruler,
    grounding: Grounding,
}

impl Writer {
    /// For one stream.
    #[must_use]
    pub fn new(client: Client) -> Self {
        let mut writer = Self {
            client,
            tail: Vec::new(),
            begun: false,
            over: false,
            usage: None,
            choices: BTreeMap::new(),
        };
        writer.name(None, None);
        writer
    }

    fn name(&mut self, id: Option<String>, model: Option<String>) {
        let id = id.unwrap_or_else(|| self.client.id.clone());
        let model = model.unwrap_or_else(|| self.client.model.clone());
        let (model, id) = (Value::from(model), Value::from(id));
        self.tail = format!(",\"modelVersion\":{model},\"responseId\":{id}}}").into_bytes();
    }

    /// What stands before each response.
    fn open(&mut self, out: &mut Vec<u8>) {
        let start: &[u8] = match (self.client.array, self.begun) {
            (true, false) => b"[",
            (true, true) => b",\r\n",
            (false, _) => b"data: ",
        };
        self.begun = true;
        out.extend_from_slice(start);
    }

    /// What stands after it.
    fn close(&self, last: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(match (self.client.array, last) {
            (true, true) => b"]",
            (true, false) => b"\n",
            (false, _) => b"\n\n",
        });
    }

    /// A response with one part of an answer.
    fn part(&mut self, choice: u32, part: impl FnOnce(&mut Vec<u8>), out: &mut Vec<u8>) {
        self.open(out);
        out.extend_from_slice(b"{\"candidates\":[{\"content\":{\"parts\":[");
        part(out);
        out.extend_from_slice(b"],\"role\":\"model\"},\"index\":");
        out.extend_from_slice(choice.to_string().as_bytes());
        out.extend_from_slice(b"}]");
        out.extend_from_slice(&self.tail);
        self.close(false, out);
    }

    fn value(&mut self, choice: u32, part: &Value, out: &mut Vec<u8>) {
        self.part(choice, |out| append(part, out), out);
    }

    fn text(&mut self, choice: u32, text: &str, thought: bool, out: &mut Vec<u8>) {
        self.flush(choice, out);
        let write = |out: &mut Vec<u8>| {
            out.extend_from_slice(b"{\"text\":");
            write_text(text, out);
            out.extend_from_slice(if thought { b",\"thought\":true}" } else { b"}" });
        };
        self.part(choice, write, out);
    }

    /// Writes the call that is whole now.
    fn flush(&mut self, choice: u32, out: &mut Vec<u8>) {
        let open = self.choices.get_mut(&choice).and_then(|choice| choice.call.take());
        match open {
            Some((_, call)) if call.is_whole() => self.value(choice, &call_part(&call), out),
            Some(_) => self.choice(choice).broken = true,
            None => {}
        }
    }

    fn logprobs(&mut self, choice: u32, told: Value, out: &mut Vec<u8>) {
        let Some(result) = logprobs::write(told) else { return };
        let candidate = json!({"logprobsResult": result, "index": choice});
        self.open(out);
        out.extend_from_slice(b"{\"candidates\":[");
        append(&candidate, out);
        out.extend_from_slice(b"]");
        out.extend_from_slice(&self.tail);
        self.close(false, out);
    }

    fn choice(&mut self, choice: u32) -> &mut Choice {
        self.choices.entry(choice).or_default()
    }

    fn fail(&mut self, error: &InBand, out: &mut Vec<u8>) {
        self.over = true;
        self.open(out);
        append(&failure::write(error), out);
        self.close(true, out);
    }

    /// The last response: why the answers end, and what they used.
    fn end(&mut self, out: &mut Vec<u8>) {
        self.over = true;
        let open: Vec<_> = self.choices.keys().copied().collect();
        for choice in open {
            self.flush(choice, out);
        }
        self.choice(0);
        let candidates = std::mem::take(&mut self.choices).into_iter();
        let candidates = candidates.map(|(index, choice)| choice.last(index));
        let mut last = object([("candidates", candidates.collect())]);
        if let (Some(members), Some(used)) = (last.as_object_mut(), &self.usage) {
            members.insert("usageMetadata".to_owned(), usage::write(used, None));
        }
        self.open(out);
        append(&last, out);
        // The tail has the closing brace.
        out.pop();
        out.extend_from_slice(&self.tail);
        self.close(true, out);
    }
}

impl Choice {
    /// More of a call's arguments.
    fn argue(&mut self, tool: u32, json: &str) {
        if let Some((_, call)) = self.call.as_mut().filter(|call| call.0 == tool) {
            call.input.push_str(json);
        }
    }

    /// A candidate that only ends.
    fn last(self, index: u32) -> Value {
        let finish = self.finish.as_ref().unwrap_or(&Finish::Stop);
        let reason = finish::write(finish, self.broken);
        let mut last = json!({
            "content": {"parts": [{"text": ""}], "role": "model"},
            "finishReason": reason,
            "index": index,
        });
        if let (Some(members), Some(own)) = (last.as_object_mut(), self.grounding.into_value()) {
            members.insert("groundingMetadata".to_owned(), own);
        }
        last
    }
}

// Writing into memory does not fail.
fn append(value: &Value, out: &mut Vec<u8>) {
    drop(serde_json::to_writer(out, value));
}

impl Write for Writer {
    fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        match event {
            Event::Text(_, text) | Event::Refusal(_, text) | Event::Thought(_, text)
                if text.is_empty() => {}
            Event::Start { id, model } => self.name(id, model),
            Event::Text(choice, text) => {
                self.choice(choice).text.extend(&text);
                self.text(choice, &text, false, out);
            }
            Event::Refusal(choice, text) => self.text(choice, &text, false, out),
            Event::Thought(choice, text) => self.text(choice, &text, true, out),
            Event::Signature(choice, proof) => {
                if ids::is_base64(&proof) {
                    self.flush(choice, out);
                    self.value(choice, &json!({"text": "", "thoughtSignature": proof}), out);
                }
            }
            Event::Citation(choice, citation) => {
                let Choice { grounding, text, .. } = self.choice(choice);
                grounding.add(citation, 0, text);
            }
            Event::ToolUse { choice, tool, id, name, signature } => {
                self.flush(choice, out);
                let call = ToolUse { id, name, input: String::new(), signature };
                self.choice(choice).call = Some((tool, call));
            }
            Event::Arguments { choice, tool, json } => self.choice(choice).argue(tool, &json),
            Event::Media(choice, media) => {
                self.flush(choice, out);
                self.value(choice, &media_part(media), out);
            }
            Event::Logprobs(choice, told) => self.logprobs(choice, told, out),
            Event::Finish(choice, why) => {
                self.flush(choice, out);
                self.choice(choice).finish = Some(why);
            }
            Event::Usage(used) => self.usage = Some(used),
            Event::Hidden(choice, cipher, id) => {
                self.flush(choice, out);
                self.value(choice, &sealed_part(&cipher, id.as_deref()), out);
            }
            Event::Error(error) => self.fail(&error, out),
            Event::End => self.end(out),
        }
    }
}
