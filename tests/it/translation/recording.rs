//! Recorded chats.
use super::frames;
use super::said::Answer;
use super::{of_chat, of_cohere, of_converse, of_gemini, of_messages, of_ollama, of_responses};
use crate::fixtures::{self, Exchange};
use bartizan::providers::translate::Protocol;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::sync::OnceLock;

/// The providers whose chats are judged.
const JUDGED: [&str; 30] = [
    "bedrock",
    "openai",
    "azure",
    "anthropic",
    "gemini",
    "vertex",
    "cohere",
    "ollama",
    "mistral",
    "openrouter",
    "groq",
    "deepseek",
    "xai",
    "alibaba",
    "cerebras",
    "cloudflare",
    "crusoe",
    "databricks",
    "gpustack",
    "heroku",
    "huggingface",
    "llamacpp",
    "moonshot",
    "perplexity",
    "snowflake",
    "together",
    "vercel-gateway",
    "vllm",
    "writer",
    "zai",
];

/// A recorded call to a chat model.
#[derive(Clone, Debug)]
pub(super) struct Recording {
    pub(super) name: String,
    /// What the provider speaks.
    pub(super) protocol: Protocol,
    /// The request, or nothing where it was not recorded.
    pub(super) request: Value,
    pub(super) answer: Told,
}

/// An answer, as it came.
#[derive(Clone, Debug)]
pub(super) enum Told {
    Whole(Vec<u8>),
    Stream(Vec<u8>),
}

/// All chats that were answered; `None` where there are no recordings.
pub(super) fn answered(test: &str) -> Option<Vec<Recording>> {
    static READ: OnceLock<Vec<Recording>> = OnceLock::new();
    let root = fixtures::root(test)?;
    let read = || fixtures::all(&root).iter().filter_map(Recording::new).collect();
    let all: &Vec<_> = READ.get_or_init(read);
    assert!(!all.is_empty(), "no chat is recorded");
    Some(all.clone())
}

/// What this provider speaks at this method and path.
fn protocol(provider: &str, endpoint: &str) -> Option<Protocol> {
    let path = endpoint.strip_prefix("POST ")?;
    if (provider, path) == ("writer", "/v1/chat") {
        return Some(Protocol::Chat);
    }
    let ends = [
        ("/chat/completions", Protocol::Chat),
        ("/responses", Protocol::Responses),
        ("/v1/messages", Protocol::Messages),
        (":generateContent", Protocol::Gemini),
        (":streamGenerateContent", Protocol::Gemini),
        (":rawPredict", Protocol::Messages),
        (":streamRawPredict", Protocol::Messages),
        ("/v2/chat", Protocol::Cohere),
        ("/api/chat", Protocol::Ollama),
        ("/converse", Protocol::Converse),
        ("/converse-stream", Protocol::Converse),
    ];
    ends.into_iter().find(|(end, _)| path.ends_with(end)).map(|(_, protocol)| protocol)
}

impl Recording {
    fn new(exchange: &Exchange) -> Option<Self> {
        let provider = exchange.text("/provider");
        // Nobody here asks for numbers in the place of Google's words.
        let in_words = !exchange.text("/request/url").contains("enum-encoding=int")
            && !exchange.text("/request/url").contains("enum-encoding%3Dint");
        let judged = in_words && JUDGED.contains(&provider);
        let protocol = protocol(provider, exchange.text("/endpoint")).filter(|_| judged)?;
        let stream =
            Some(exchange.text("/response/body_text")).filter(|_| exchange.status() < 400)?;
        let binary = exchange.text("/response/body_base64");
        let answer = if !binary.is_empty() {
            Told::Stream(STANDARD.decode(binary).expect("base64"))
        } else if stream.is_empty() {
            Told::Whole(serde_json::to_vec(&exchange.file["response"]["body"]).expect("JSON"))
        } else if stream.trim_start().starts_with('[') {
            // Gemini's streams are asked for as events, not as an array.
            let documents = frames::array(stream).0.into_iter();
            let events = documents.map(|it| format!("data: {it}\r\n\r\n"));
            Told::Stream(events.collect::<String>().into_bytes())
        } else {
            Told::Stream(stream.as_bytes().to_vec())
        };
        Some(Self {
            name: exchange.name.clone(),
            protocol,
            request: exchange.file["request"]["body"].clone(),
            answer,
        })
    }

    /// What its provider says in it.
    pub(super) fn said(&self) -> Answer {
        match &self.answer {
            Told::Whole(body) => {
                let body = serde_json::from_slice(body).expect("JSON");
                match self.protocol {
                    Protocol::Responses => of_responses::whole(&body),
                    Protocol::Messages => of_messages::whole(&body),
                    Protocol::Gemini => of_gemini::whole(&body),
                    Protocol::Cohere => of_cohere::whole(&body),
                    Protocol::Ollama => of_ollama::whole(&body),
                    Protocol::Converse => of_converse::whole(&body),
                    _ => of_chat::whole(&body),
                }
            }
            Told::Stream(stream) if self.protocol == Protocol::Converse => {
                of_converse::stream(&of_converse::lines(stream))
            }
            Told::Stream(stream) => {
                let stream = &String::from_utf8_lossy(stream);
                match self.protocol {
                    Protocol::Responses => of_responses::stream(stream),
                    Protocol::Messages => of_messages::stream(stream),
                    Protocol::Gemini => of_gemini::stream(stream),
                    Protocol::Cohere => of_cohere::stream(stream),
                    Protocol::Ollama => of_ollama::stream(stream),
                    _ => of_chat::providers_stream(stream),
                }
            }
        }
    }
}
