//! Which dialects are translated into each other, and what is said in them.
mod talk;
mod told;

use bartizan::config::Fit;
use bartizan::providers::chat::{Client, Target};
use bartizan::providers::translate::{Edits, Protocol, Reply, Stream, Translated, Translation};
use bytes::Bytes;
use serde_json::Value;
use told::Told;

/// One of the pairs that are measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    /// Whose dialects meet.
    pub(crate) translation: Translation,
    /// The provider's name.
    provider: &'static str,
    /// One of its models.
    model: &'static str,
}

/// Everything that clients of chat completions are often in front of, and what clients of the other
/// dialects are.
pub(crate) const CASES: [Case; 10] = [
    case(Protocol::Chat, Protocol::Messages),
    case(Protocol::Chat, Protocol::Gemini),
    case(Protocol::Chat, Protocol::Cohere),
    case(Protocol::Chat, Protocol::Ollama),
    case(Protocol::Chat, Protocol::Responses),
    case(Protocol::Messages, Protocol::Chat),
    case(Protocol::Messages, Protocol::Gemini),
    case(Protocol::Gemini, Protocol::Messages),
    case(Protocol::Responses, Protocol::Chat),
    case(Protocol::Responses, Protocol::Messages),
];

const fn case(client: Protocol, provider: Protocol) -> Case {
    let (name, model) = match provider {
        Protocol::Messages => ("anthropic", "claude-sonnet-4-5"),
        Protocol::Gemini => ("gemini", "gemini-2.5-flash"),
        Protocol::Cohere => ("cohere", "command-a-03-2025"),
        Protocol::Ollama => ("ollama", "llama3.2"),
        _ => ("openai", "gpt-4.1"),
    };
    Case { translation: Translation { client, provider }, provider: name, model }
}

/// How long the bodies of an exchange are, in bytes: 4 KiB together.
const REQUEST: usize = 3 << 10;
const ANSWER: usize = 1 << 10;

const EDITS: Edits<'_> =
    Edits { defaults: &[], forced: &[], extra_body: &[], drop: &[], stream_usage: true };

impl Case {
    /// Its name: `chat of messages`.
    pub(crate) fn name(self) -> String {
        let Translation { client, provider } = self.translation;
        format!("{} of {}", word(client), word(provider))
    }

    /// A client's request and a provider's answer, of 4 KiB together: texts alone, or much of what
    /// can be said.
    pub(crate) fn bodies(self, kind: Kind) -> (Vec<u8>, Vec<u8>) {
        let Translation { client, provider } = self.translation;
        match kind {
            Kind::Talk => (
                talk::request(client).to_string().into(),
                talk::answer(provider).to_string().into(),
            ),
            Kind::Tools => (self.request(), self.answer()),
        }
    }

    /// A client's request with pictures, calls of tools and their results.
    fn request(self) -> Vec<u8> {
        let request = match self.translation.client {
            Protocol::Messages => include_str!("../../../tests/wire/messages/request.in.json"),
            Protocol::Gemini => include_str!("../../../tests/wire/gemini/request.in.json"),
            Protocol::Responses => include_str!("../../../tests/wire/responses/request.in.json"),
            _ => include_str!("../../../tests/wire/chat/request.in.json"),
        };
        filled(request, "Answer briefly.", REQUEST)
    }

    /// A provider's answer with a thought, text and calls of tools.
    fn answer(self) -> Vec<u8> {
        let answer = match self.translation.provider {
            Protocol::Messages => include_str!("../../../tests/wire/messages/answer.in.json"),
            Protocol::Gemini => include_str!("../../../tests/wire/gemini/answer.in.json"),
            Protocol::Cohere => include_str!("../../../tests/wire/cohere/answer.in.json"),
            Protocol::Ollama => include_str!("../../../tests/wire/ollama/answer.in.json"),
            Protocol::Responses => include_str!("../../../tests/wire/responses/answer.in.json"),
            _ => include_str!("../../../tests/wire/chat/answer.in.json"),
        };
        filled(answer, "I look at both", ANSWER)
    }

    /// Translates a request for the provider.
    pub(crate) fn asked(self, body: &[u8]) -> Translated {
        let fit = Fit { drop: Some(true), ..Fit::default() };
        let draft = self.translation.read(body, &EDITS, fit).expect("a request");
        let target = Target {
            provider: self.provider,
            row: None,
            model: self.model,
            like: self.model,
            max_output: Some(4096),
            thinks: None,
            modify: false,
        };
        let client = Client {
            id: "0123456789abcdef0123456789abcdef".to_owned(),
            created: 1_760_000_000,
            model: self.model.to_owned(),
            ..Client::default()
        };
        draft.write(&target, &EDITS, client).expect("a request")
    }

    /// Translates an exchange: the request, and its answer.
    pub(crate) fn exchange(self, request: &[u8], answer: &[u8]) -> (Translated, Vec<u8>) {
        let asked = self.asked(request);
        let answer = asked.reply.whole(answer).expect("an answer");
        (asked, answer.body.into())
    }

    /// What reads the answer to a request.
    fn reply(self) -> Reply {
        self.asked(&self.request()).reply
    }

    /// A stream that has begun to tell `what`, and an event that tells more of it.
    pub(crate) fn begun(self, what: What) -> (Stream, &'static str) {
        let told = Told::by(self.translation.provider);
        let (begin, more) = match what {
            What::Text => (told.text, told.more_text),
            What::Arguments => (told.call, told.more_call),
        };
        let (mut stream, mut out) = (self.reply().stream(), Vec::new());
        [told.start, begin, more].into_iter().for_each(|it| stream.push(it.as_bytes(), &mut out));
        (stream, more)
    }
}

/// Hands an event on, as the proxy does.
pub(crate) fn pushed(stream: &mut Stream, event: &str) -> Bytes {
    let mut out = Vec::new();
    stream.push(event.as_bytes(), &mut out);
    out.into()
}

/// What an exchange says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Texts.
    Talk,
    /// A picture, thoughts, calls of tools and their results too; tools with schemas are offered.
    Tools,
}

/// What a stream tells.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// Text.
    Text,
    /// The arguments of a call.
    Arguments,
}

const fn word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Messages => "messages",
        Protocol::Gemini => "gemini",
        Protocol::Cohere => "cohere",
        Protocol::Ollama => "ollama",
        Protocol::Responses => "responses",
        _ => "chat",
    }
}

/// `json` in as few bytes as it can be, and then as long as wanted by a text before `place`.
fn filled(json: &str, place: &str, len: usize) -> Vec<u8> {
    let value: Value = serde_json::from_str(json).expect("JSON");
    let short = value.to_string();
    let missing = len.saturating_sub(short.len());
    // A twentieth of it is escaped.
    let text = Value::from(talk::text(missing - missing / 20)).to_string();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).expect("a text");
    short.replacen(place, &(text.to_owned() + place), 1).into_bytes()
}
