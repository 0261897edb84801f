//! A provider's stream, read.
use super::super::answer::{blocks, citations, read_error, read_finish};
use super::super::request::{arguments, signature_of};
use super::super::usage;
use super::plain::{Chunk, plain};
use crate::providers::chat::{Content, Event, Finish, Memo, Read, Taking, parsed};
use serde_json::{Map, Value};

/// Reads the chunks of a chat completion.
#[derive(Debug, Default)]
pub struct Reader {
    started: bool,
    ended: bool,
    /// Per answer: the provider's index of each call, in the order of their beginnings.
    calls: Vec<Vec<u64>>,
    /// Which answers began, and why those that ended did.
    finished: Vec<Option<Finish>>,
}

/// Answers that a stream may have at once: OpenAI's own bound.
const MOST_CHOICES: usize = 128;

impl Reader {
    /// At the start of a stream.
    #[must_use]
    pub fn new(_: &Memo) -> Self {
        Self::default()
    }

    fn start(&mut self, id: Option<&str>, model: Option<&str>, out: &mut Vec<Event>) {
        if !self.started {
            self.started = true;
            let text = |told: Option<&str>| told.filter(|it| !it.is_empty()).map(str::to_owned);
            out.push(Event::Start { id: text(id), model: text(model) });
        }
    }

    /// Makes room for the answer at this place.
    fn room(&mut self, place: usize) {
        if self.finished.len() <= place {
            self.finished.resize(place + 1, None);
            self.calls.resize(place + 1, Vec::new());
        }
    }

    /// Takes a plain chunk. Whether it did: not of an answer too many, nor of a call that begins.
    fn plain(&mut self, chunk: Chunk<'_>, out: &mut Vec<Event>) -> bool {
        let Chunk { id, model, choices: (choice,), .. } = chunk;
        let index = choice.index.unwrap_or(0);
        let Some(place) = usize::try_from(index).ok().filter(|place| *place < MOST_CHOICES) else {
            return false;
        };
        let more = choice.delta.tool_calls.map(|(call,)| {
            let calls = self.calls.get(place)?;
            let tool = calls.iter().position(|known| *known == call.index)?;
            Some((u32::try_from(tool).ok()?, call.function.arguments))
        });
        if more == Some(None) {
            return false;
        }
        self.start(id, model, out);
        self.room(place);
        let some = |text: &String| !text.is_empty();
        let thought = choice.delta.reasoning_content.or(choice.delta.reasoning).filter(some);
        out.extend(thought.map(|text| Event::Thought(index, text)));
        out.extend(choice.delta.content.filter(some).map(|text| Event::Text(index, text)));
        if let Some((tool, Some(json))) = more.flatten()
            && !json.is_empty()
        {
            out.push(Event::Arguments { choice: index, tool, json });
        }
        true
    }

    fn choice(&mut self, mut choice: Map<String, Value>, out: &mut Vec<Event>) {
        let at = choice.take_count("index").unwrap_or(0);
        let Some((index, place)) = u32::try_from(at).ok().zip(usize::try_from(at).ok()) else {
            return;
        };
        if place >= MOST_CHOICES {
            return;
        }
        self.room(place);
        let mut delta = choice.take_object("delta").or_else(|| choice.take_object("message"));
        if let Some(delta) = &mut delta {
            // They may come without any text.
            let cited = citations(delta);
            for block in blocks(delta) {
                content(index, block.content, out);
            }
            out.extend(cited.into_iter().map(|citation| Event::Citation(index, citation)));
            self.tools(index, place, delta, out);
        }
        if let Some(logprobs) = choice.take("logprobs") {
            out.push(Event::Logprobs(index, logprobs));
        }
        let finish = choice.take_text("finish_reason").filter(|told| !told.is_empty());
        if let Some(told) = finish.map(|told| read_finish(&told))
            && let Some(slot @ None) = self.finished.get_mut(place)
        {
            *slot = Some(told.clone());
            out.push(Event::Finish(index, told));
        }
    }

    fn tools(
        &mut self,
        choice: u32,
        place: usize,
        delta: &mut Map<String, Value>,
        out: &mut Vec<Event>,
    ) {
        let Some(known) = self.calls.get_mut(place) else { return };
        let mut told = delta.take_array("tool_calls");
        if let Some(older) = delta.take("function_call") {
            told.push(serde_json::json!({"index": 0, "id": "", "function": older}));
        }
        for (at, call) in told.into_iter().enumerate() {
            let Value::Object(mut call) = call else { continue };
            let signature = signature_of(&mut call);
            let mut function = call.take_object("function").unwrap_or_default();
            let name = function.take_text("name").filter(|name| !name.is_empty());
            let id = call.take_text("id");
            // Some servers leave the index out, and tell each call whole.
            let fresh = name.is_some() && id.as_deref().is_some_and(|id| !id.is_empty());
            let untold =
                if fresh { known.len() as u64 } else { (known.len() as u64).saturating_sub(1) };
            let index = call.take_count("index").unwrap_or(untold.max(at as u64));
            let seen = known.iter().position(|it| *it == index);
            let tool = seen.unwrap_or(known.len());
            let Ok(tool) = u32::try_from(tool) else { continue };
            if seen.is_none() {
                known.push(index);
                let id = id.filter(|id| !id.is_empty());
                let (id, name) =
                    (id.unwrap_or_else(|| format!("call_{tool}")), name.unwrap_or_default());
                out.push(Event::ToolUse { choice, tool, id, name, signature });
            }
            let json = arguments(function.take("arguments"));
            if !json.is_empty() {
                out.push(Event::Arguments { choice, tool, json });
            }
        }
    }
}

/// What one block of a delta is.
fn content(choice: u32, content: Content, out: &mut Vec<Event>) {
    match content {
        Content::Text(text, citations) => {
            out.push(Event::Text(choice, text));
            out.extend(citations.into_iter().map(|it| Event::Citation(choice, it)));
        }
        Content::Refusal(text) => out.push(Event::Refusal(choice, text)),
        Content::Thought(thought) => {
            if !thought.text.is_empty() {
                out.push(Event::Thought(choice, thought.text));
            }
            if let Some(signature) = thought.signature.filter(|it| !it.is_empty()) {
                out.push(Event::Signature(choice, signature));
            }
            if let Some(hidden) = thought.hidden {
                out.push(Event::Hidden(choice, hidden, thought.id));
            }
        }
        Content::Media(media) => out.push(Event::Media(choice, media)),
        Content::ToolUse(_) | Content::ToolResult(_) | Content::Other(_) => {}
    }
}

impl Read for Reader {
    fn event(&mut self, _: &[u8], data: &[u8], out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        if data.trim_ascii() == b"[DONE]" {
            self.ended = true;
            return out.push(Event::End);
        }
        if plain(data).is_some_and(|chunk| self.plain(chunk, out)) {
            return;
        }
        let Some(mut chunk) = parsed(data) else { return };
        if let Some(error) = read_error(&chunk) {
            self.ended = true;
            return out.push(Event::Error(error));
        }
        let text = |name: &str| chunk.get(name).and_then(Value::as_str);
        self.start(text("id"), text("model"), out);
        for choice in chunk.take_array("choices") {
            if let Value::Object(choice) = choice {
                self.choice(choice, out);
            }
        }
        // Groq tells it in a member of its own.
        let groq = chunk.take_object("x_groq").and_then(|mut told| told.take_object("usage"));
        let told = chunk.take_object("usage").or(groq);
        if let Some(usage) = told.and_then(usage::read) {
            out.push(Event::Usage(usage));
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        let all = !self.finished.is_empty() && self.finished.iter().all(Option::is_some);
        if all && !self.ended {
            self.ended = true;
            out.push(Event::End);
        }
    }
}
