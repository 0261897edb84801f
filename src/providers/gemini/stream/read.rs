//! A provider's stream: each event is a whole `GenerateContentResponse` with what is new.
use super::plain::{Chunk, plain};
use crate::providers::chat::{
    Block, Content, Event, Memo, Read, Taking, Thought, ToolUse, parsed, standard_base64,
};
use crate::providers::gemini::answer::is_blocked;
use crate::providers::gemini::failure::read_error;
use crate::providers::gemini::fields::members;
use crate::providers::gemini::grounding::Sources;
use crate::providers::gemini::part::{Call, Kind, Part};
use crate::providers::gemini::ruler::Ruler;
use crate::providers::gemini::{finish, ids, logprobs, usage};
use bartizan_layers::facts::Usage;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Reads Gemini's stream.
///
/// Code that Google ran and calls of its own tools are not told. Pages that an answer comes from
/// are told at its end, as Google may tell them more than once, and so is why it ends.
#[derive(Debug, Default)]
pub struct Reader {
    started: bool,
    blocked: bool,
    over: bool,
    /// The answer's id: ids of calls are made of it.
    id: String,
    usage: Option<Usage>,
    candidates: BTreeMap<u32, Candidate>,
}

/// One of the answers, so far.
#[derive(Debug, Default)]
struct Candidate {
    calls: u32,
    reason: Value,
    text: Ruler,
    /// The latest word on where it comes from.
    grounding: Option<Map<String, Value>>,
}

impl Reader {
    /// For one stream.
    #[must_use]
    pub fn new(_: &Memo) -> Self {
        Self::default()
    }

    fn chunk(&mut self, mut chunk: Map<String, Value>, out: &mut Vec<Event>) {
        if self.over {
            return;
        }
        if let Some(error) = read_error(&chunk) {
            self.over = true;
            out.push(Event::Error(error));
            return;
        }
        let (id, model) = (chunk.take_text("responseId"), chunk.take_text("modelVersion"));
        self.start(id, model, out);
        self.blocked |= is_blocked(&chunk);
        for (at, candidate) in chunk.take_array("candidates").into_iter().enumerate() {
            if let Some(candidate) = members(candidate) {
                self.candidate(at, candidate, out);
            }
        }
        self.used(chunk.take_object("usageMetadata").map(usage::read), out);
    }

    fn start(&mut self, id: Option<String>, model: Option<String>, out: &mut Vec<Event>) {
        if !self.started {
            self.started = true;
            self.id = id.clone().unwrap_or_default();
            out.push(Event::Start { id, model });
        }
    }

    fn used(&mut self, used: Option<Usage>, out: &mut Vec<Event>) {
        if used.is_some() && used != self.usage {
            self.usage = used;
            out.extend(used.map(Event::Usage));
        }
    }

    /// A response of texts and calls alone.
    fn plain(&mut self, chunk: Chunk<'_>, out: &mut Vec<Event>) {
        if self.over {
            return;
        }
        if !self.started {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            self.start(owned(chunk.response_id), owned(chunk.model_version), out);
        }
        for (at, candidate) in (0..).zip(chunk.candidates) {
            let index = candidate.index.unwrap_or(at);
            let own = self.candidates.entry(index).or_default();
            for part in candidate.content.map(|content| content.parts).unwrap_or_default() {
                if let Some(call) = part.function_call {
                    let proof = part.thought_signature.map(standard_base64);
                    let proof = proof.filter(|proof| !proof.is_empty());
                    own.call(index, call, proof, &self.id, out);
                    continue;
                }
                match part.text {
                    text if text.is_empty() => {}
                    text if part.thought => out.push(Event::Thought(index, text.into_owned())),
                    text => {
                        own.text.extend(&text);
                        out.push(Event::Text(index, text.into_owned()));
                    }
                }
            }
            if let Some(reason) = candidate.finish_reason {
                own.reason = reason.into();
            }
        }
        self.used(chunk.usage_metadata.map(|told| told.usage()), out);
    }

    fn candidate(&mut self, at: usize, mut candidate: Map<String, Value>, out: &mut Vec<Event>) {
        let index = candidate.take_count("index").unwrap_or(at as u64);
        let Ok(index) = u32::try_from(index) else { return };
        let own = self.candidates.entry(index).or_default();
        let mut content = candidate.take_object("content").unwrap_or_default();
        let mut blocks = Vec::new();
        for part in content.take_array("parts").into_iter().filter_map(members) {
            let call = Part::of(part).tell(&mut blocks);
            for block in blocks.drain(..) {
                own.tell(index, block, out);
            }
            if let Some(Part { kind: Kind::Call(call), signature, .. }) = call {
                own.call(index, call, signature, &self.id, out);
            }
        }
        if let Some(logprobs) = candidate.take_object("logprobsResult") {
            out.push(Event::Logprobs(index, logprobs::read(logprobs)));
        }
        if let Some(metadata) = candidate.take_object("citationMetadata") {
            let mut sources = Sources::default();
            sources.cite(metadata);
            own.cite(index, sources, out);
        }
        if let Some(metadata) = candidate.take_object("groundingMetadata") {
            own.grounding = Some(metadata);
        }
        if let Some(reason) = candidate.take("finishReason") {
            own.reason = reason;
        }
    }
}

impl Candidate {
    fn tell(&mut self, index: u32, block: Block, out: &mut Vec<Event>) {
        match block.content {
            Content::Text(text, _) => {
                self.text.extend(&text);
                out.push(Event::Text(index, text));
            }
            Content::Thought(Thought { text, signature, .. }) => {
                if !text.is_empty() {
                    out.push(Event::Thought(index, text));
                }
                out.extend(signature.map(|proof| Event::Signature(index, proof)));
            }
            Content::Media(media) => out.push(Event::Media(index, media)),
            _ => {}
        }
    }

    fn call(
        &mut self,
        choice: u32,
        mut call: Call,
        signature: Option<String>,
        place: &str,
        out: &mut Vec<Event>,
    ) {
        let number = usize::try_from(self.calls).unwrap_or(usize::MAX);
        let id =
            call.id.take().unwrap_or_else(|| ids::made(place, &call.name, &call.input, number));
        let id = ids::signed(id, signature.as_deref());
        let ToolUse { id, name, input, signature } = call.into_use(id, signature);
        let tool = self.calls;
        self.calls = self.calls.saturating_add(1);
        out.push(Event::ToolUse { choice, tool, id, name, signature });
        out.push(Event::Arguments { choice, tool, json: input });
    }

    /// Tells sources. Their ranges are of all of the text.
    fn cite(&self, index: u32, sources: Sources, out: &mut Vec<Event>) {
        out.extend(sources.found.into_iter().map(|found| {
            let mut citation = found.citation;
            let at = |byte| self.text.character(byte);
            citation.range = citation.range.map(|(start, end)| (at(start), at(end)));
            Event::Citation(index, citation)
        }));
    }

    fn end(&mut self, index: u32, out: &mut Vec<Event>) {
        if let Some(metadata) = self.grounding.take() {
            let mut sources = Sources::default();
            sources.ground(metadata);
            self.cite(index, sources, out);
        }
        if let Some(finish) = finish::read(&self.reason, self.calls > 0) {
            out.push(Event::Finish(index, finish));
        }
    }
}

impl Read for Reader {
    fn event(&mut self, _: &[u8], data: &[u8], out: &mut Vec<Event>) {
        if let Some(chunk) = plain(data) {
            return self.plain(chunk, out);
        }
        match parsed(data) {
            Some(chunk) => self.chunk(chunk, out),
            // The whole of a stream without `alt=sse`, or of an error there, is a list.
            None if data.trim_ascii_start().starts_with(b"[") => {
                let chunks: Vec<Value> = serde_json::from_slice(data).unwrap_or_default();
                for chunk in chunks.into_iter().filter_map(members) {
                    self.chunk(chunk, out);
                }
            }
            None => {}
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if self.over {
            return;
        }
        self.over = true;
        let mut whole = self.blocked || !self.candidates.is_empty();
        for (index, candidate) in &mut self.candidates {
            candidate.end(*index, out);
            whole &= self.blocked || !candidate.reason.is_null();
        }
        if self.blocked && self.candidates.is_empty() {
            out.push(Event::Finish(0, crate::providers::chat::Finish::Filter));
        }
        if whole {
            out.push(Event::End);
        }
    }
}
