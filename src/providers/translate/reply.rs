//! How the answer to a translated request is read and written.
use super::stream::Stream;
use super::{Protocol, Translation, embeddings};
use crate::providers::chat::{
    self, Answer, Client, Event, InBand, Lost, Memo, Read, Unreadable, Write, parsed,
};
use crate::providers::{Dialect, anthropic, bedrock, cohere, gemini, ollama, openai};
use bartizan_layers::facts::Usage;
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value};

/// What has to be known of a translated request when its answer comes.
#[derive(Clone, Debug)]
pub struct Reply {
    translation: Translation,
    memo: Memo,
    client: Client,
    lost: Lost,
    /// What the answer's head tells of its usage, where its body does not.
    heard: Option<Usage>,
}

/// A whole answer in the client's words.
#[derive(Clone, Debug)]
pub struct Whole {
    /// Its body.
    pub body: Bytes,
    /// What it used, where the provider told.
    pub usage: Option<Usage>,
    /// The answer as it is to be kept, where it is.
    pub kept: Option<Vec<u8>>,
}

impl Reply {
    pub(super) const fn new(
        translation: Translation,
        memo: Memo,
        client: Client,
        lost: Lost,
    ) -> Self {
        Self { translation, memo, client, lost, heard: None }
    }

    /// Whose words come, and whose are handed on.
    #[must_use]
    pub const fn translation(&self) -> Translation {
        self.translation
    }

    /// Takes in an answer's head.
    pub fn hear(&mut self, headers: &HeaderMap) {
        if self.translation.provider == Protocol::Converse {
            self.heard = bedrock::embed::usage(headers);
        }
    }

    /// The type of the client's streams.
    #[must_use]
    pub const fn stream_type(&self) -> &'static str {
        match self.translation.client.dialect() {
            Dialect::Ollama => "application/x-ndjson",
            _ if self.client.array => "application/json",
            _ => "text/event-stream; charset=utf-8",
        }
    }

    /// What the request lost on its way: the names, parted by commas; `None` for nothing.
    #[must_use]
    pub fn dropped(&self) -> Option<String> {
        self.lost.told()
    }

    /// Translates a whole answer.
    ///
    /// # Errors
    /// When it is not what the provider's dialect says.
    pub fn whole(&self, body: &[u8]) -> Result<Whole, Unreadable> {
        if self.translation.client.is_embeddings() {
            return self.embeddings(body);
        }
        let answer = self.answer(body)?;
        let usage = answer.usage;
        let body = self.written(answer, body.len());
        let kept = self.client.keeps.then(|| body.clone());
        Ok(Whole { body: body.into(), usage, kept })
    }

    fn embeddings(&self, body: &[u8]) -> Result<Whole, Unreadable> {
        let body = parsed(body).ok_or(Unreadable("a JSON object"))?;
        let Translation { client, provider } = self.translation;
        let heard = (body, self.heard);
        let (told, usage) = embeddings::told((client, provider), heard, &self.client)?;
        Ok(Whole { body: told.to_string().into(), usage, kept: None })
    }

    fn answer(&self, body: &[u8]) -> Result<Answer, Unreadable> {
        let body = parsed(body).ok_or(Unreadable("a JSON object"))?;
        match self.translation.provider {
            Protocol::Responses => openai::responses::read_answer(body, &self.memo),
            Protocol::Messages => anthropic::read_answer(body, &self.memo),
            Protocol::Gemini => gemini::read_answer(body, &self.memo),
            Protocol::Cohere => cohere::read_answer(body, &self.memo),
            Protocol::Ollama => ollama::read_answer(body, &self.memo),
            Protocol::Converse => bedrock::read_answer(body, &self.memo),
            _ => openai::chat::read_answer(body, &self.memo),
        }
    }

    /// The answer in the client's words, of about as many bytes.
    fn written(&self, answer: Answer, about: usize) -> Vec<u8> {
        let client = &self.client;
        let value = match self.translation.client {
            Protocol::Responses => return openai::responses::write_answer(answer, client),
            Protocol::Completions => openai::completions::write_answer(answer, client),
            Protocol::Messages => anthropic::write_answer(answer, client),
            Protocol::Gemini => gemini::write_answer(answer, client),
            Protocol::Cohere => cohere::write_answer(answer, client),
            Protocol::Ollama => ollama::write_answer(answer, client),
            Protocol::Generate => ollama::write_generated(answer, client),
            _ => openai::chat::write_answer(answer, client),
        };
        chat::written(&value, about)
    }

    /// Translates a stream.
    #[must_use]
    pub fn stream(&self) -> Stream {
        Stream::new(self.translation.provider, self.reader(), self.writer())
    }

    /// A whole answer, for a client that wanted a stream.
    ///
    /// # Errors
    /// When it is not what the provider's dialect says.
    pub fn as_stream(&self, body: &[u8]) -> Result<Whole, Unreadable> {
        let answer = self.answer(body)?;
        let usage = answer.usage;
        let (mut writer, mut out) = (self.writer(), Vec::new());
        answer.events().into_iter().for_each(|event: Event| writer.write(event, &mut out));
        Ok(Whole { body: out.into(), usage, kept: writer.whole() })
    }

    fn reader(&self) -> Box<dyn Read> {
        let memo = &self.memo;
        match self.translation.provider {
            Protocol::Responses => Box::new(openai::responses::Reader::new(memo)),
            Protocol::Messages => Box::new(anthropic::Reader::new(memo)),
            Protocol::Gemini => Box::new(gemini::Reader::new(memo)),
            Protocol::Cohere => Box::new(cohere::Reader::new(memo)),
            Protocol::Ollama => Box::new(ollama::Reader::new(memo)),
            Protocol::Converse => Box::new(bedrock::Reader::new(memo)),
            _ => Box::new(openai::chat::Reader::new(memo)),
        }
    }

    fn writer(&self) -> Box<dyn Write> {
        let client = self.client.clone();
        match self.translation.client {
            Protocol::Completions => Box::new(openai::completions::Writer::new(client)),
            Protocol::Responses => Box::new(openai::responses::Writer::new(client)),
            Protocol::Messages => Box::new(anthropic::Writer::new(client)),
            Protocol::Gemini => Box::new(gemini::Writer::new(client)),
            Protocol::Cohere => Box::new(cohere::Writer::new(client)),
            Protocol::Ollama => Box::new(ollama::Writer::new(client)),
            Protocol::Generate => Box::new(ollama::Writer::generate(client)),
            _ => Box::new(openai::chat::Writer::new(client)),
        }
    }

    /// The error in the provider's answer; `None` where it tells none in its own words.
    #[must_use]
    pub fn error(&self, body: &[u8]) -> Option<InBand> {
        let body: Map<String, Value> = chat::parsed(body).or_else(|| {
            // Gemini's stream without events is a list.
            let list: Vec<Map<String, Value>> = serde_json::from_slice(body).ok()?;
            list.into_iter().next()
        })?;
        match self.translation.provider {
            Protocol::Messages => anthropic::read_error(&body),
            Protocol::Gemini => gemini::read_error(&body),
            Protocol::Cohere => cohere::read_error(&body),
            Protocol::Ollama => ollama::read_error(&body),
            Protocol::Converse => bedrock::read_error(&body),
            _ => openai::chat::read_error(&body),
        }
    }

    /// The dialect of errors for the client.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.translation.client.dialect()
    }
}
