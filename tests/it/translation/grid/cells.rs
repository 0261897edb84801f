//! Cells, played: a client asks through a proxy, a provider answers, the client goes on.
use super::asked::{Asked, Piece, RESULTS, TOOL, USER};
use super::clients::{call, go_on, request};
use super::fakes;
use super::rows::{Column, ROWS, Row};
use super::written::read;
use crate::client::Answer;
use crate::proxy::{self, CREDENTIAL, KEY, Proxy};
use crate::translation::able::told;
use crate::translation::of_converse;
use crate::translation::setup::{heard, heard_stream};
use crate::upstream::{Step, Upstream, chunked_head, json, piece};
use crate::wire::Message;
use bartizan::data;
use bartizan::providers::translate::Protocol;
use serde_json::Value;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

/// What came of a cell.
#[derive(Debug)]
pub(super) enum Cell {
    Works,
    /// The client's dialect cannot ask it.
    Wordless,
    /// It does not work; `loud` if the client is told so.
    Fails {
        why: String,
        loud: bool,
    },
}

/// A proxy before all providers.
#[derive(Debug)]
pub(super) struct Played {
    proxy: Proxy,
    upstream: Upstream,
    /// What is asked now: the providers answer that.
    column: Arc<Mutex<Column>>,
    /// The dialects in which clients' calls came to providers.
    spoken: Mutex<HashMap<(Protocol, &'static str), Protocol>>,
}

/// What is spoken at a path.
fn protocol(path: &str) -> Protocol {
    let path = path.split('?').next().unwrap_or_default();
    let ends = [
        ("/chat/completions", Protocol::Chat),
        ("/completions", Protocol::Completions),
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
    let known = ends.iter().find(|(end, _)| path.ends_with(end));
    known.unwrap_or_else(|| panic!("nobody answers at {path}")).1
}

fn streams(request: &Message) -> bool {
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    let path = request.head.word();
    body["stream"] == true
        || path.contains(":streamGenerateContent")
        || path.ends_with("/converse-stream")
}

/// What a provider does.
fn script(request: &Message, column: Column) -> Vec<Step> {
    let path = request.head.word();
    let number = path.split('/').nth(1).and_then(|number| number.parse::<usize>().ok());
    let row = ROWS[number.expect("a provider's number")];
    let (protocol, provider) = (protocol(path), row.provider());
    if protocol == Protocol::Completions && provider != "litellm_proxy" {
        // The others only chat, or refuse what chats here.
        return json(404, r#"{"error":{"message":"no such place"}}"#);
    }
    let stream = streams(request);
    let body = fakes::answer(protocol, provider, column, stream);
    if stream {
        let (kind, body) = match protocol {
            Protocol::Ollama => ("application/x-ndjson", body.into_bytes()),
            Protocol::Converse => {
                ("application/vnd.amazon.eventstream", of_converse::frames(&body))
            }
            _ => ("text/event-stream", body.into_bytes()),
        };
        return vec![chunked_head(200, &[("content-type", kind)]), piece(body), Step::End];
    }
    json(if column == Column::Error { 400 } else { 200 }, body)
}

fn config(origin: &str) -> String {
    let mut config = "model_list:\n".to_owned();
    for (number, row) in ROWS.iter().enumerate() {
        let Row { title, model, base } = row;
        write!(
            config,
            "  - model_name: {title}\n    litellm_params:\n      model: {model}\n      \
             api_base: {origin}/{number}{base}\n      api_key: {CREDENTIAL}\n      \
             num_retries: 0\n      cooldown_time: 0\n"
        )
        .expect("strings take everything");
    }
    config + "general_settings:\n  master_key: " + KEY + "\n"
}

impl Played {
    pub(super) async fn start() -> Self {
        let column = Arc::new(Mutex::new(Column::Plain));
        let asked = Arc::clone(&column);
        let script = move |request: &Message| script(request, *asked.lock().expect("no panic"));
        let upstream = Upstream::start(script).await;
        let proxy = proxy::with(&config(&upstream.origin())).start().await;
        Self { proxy, upstream, column, spoken: Mutex::default() }
    }

    /// The dialect in which this client's calls came to this provider.
    pub(super) fn spoken(&self, client: Protocol, row: &Row) -> Protocol {
        self.spoken.lock().expect("no panic")[&(client, row.title)]
    }

    /// Plays a cell.
    pub(super) async fn cell(&self, client: Protocol, row: &Row, column: Column) -> Cell {
        *self.column.lock().expect("no panic") = column;
        for stream in column.ways() {
            let Some(body) = request(client, column, row.title, *stream) else {
                return Cell::Wordless;
            };
            let call = Asking { played: self, client, row, column, stream: *stream };
            let cell = call.judged(&body).await;
            if !matches!(cell, Cell::Works) {
                return cell;
            }
        }
        Cell::Works
    }
}

/// A client that asks.
struct Asking<'a> {
    played: &'a Played,
    client: Protocol,
    row: &'a Row,
    column: Column,
    stream: bool,
}

impl Asking<'_> {
    /// Asks, and goes on where tools are called.
    async fn judged(&self, body: &Value) -> Cell {
        let (answer, came) = self.ask(body).await;
        let mut asked = Asked::first(self.column, self.stream);
        if self.client == Protocol::Completions {
            asked.said = vec![Piece::User(USER.to_owned())];
        }
        let mut why = came
            .as_ref()
            .map_or("it is not asked".to_owned(), |came| self.unasked(&asked, body, came));
        if let (true, Some(came)) = (why.is_empty(), &came) {
            why = self.unheard(came, &answer);
        }
        let goes_on = self.column.goes_on() && !self.stream;
        if let (true, true, Some(came)) = (why.is_empty(), goes_on, &came) {
            let body = go_on(self.client, body.clone(), &answer.json());
            let (_, next) = self.ask(&body).await;
            asked = self.next(asked, protocol(came.head.word()));
            why = next
                .as_ref()
                .map_or("it does not go on".to_owned(), |next| self.unasked(&asked, &body, next));
        }
        if why.is_empty() {
            return Cell::Works;
        }
        let named = answer.header("x-bartizan-dropped").unwrap_or_default();
        let loud = !named.is_empty() || answer.status == 400 && came.is_none();
        let mut body = answer.text().to_owned();
        body.truncate(600);
        Cell::Fails { why: format!("{why} ({named}) {body}"), loud }
    }

    /// The answer, and the request that came to the provider.
    async fn ask(&self, body: &Value) -> (Answer, Option<Message>) {
        let number = self.played.upstream.seen().begun;
        let call = call(self.client, self.row.title, self.stream, body);
        let answer = self.played.proxy.call(call.key(KEY)).await;
        let came = self.played.upstream.request(number);
        if let Some(came) = &came {
            let spoken = protocol(came.head.word());
            let key = (self.client, self.row.title);
            self.played.spoken.lock().expect("no panic").insert(key, spoken);
        }
        (answer, came)
    }

    /// What the provider is asked otherwise than the client asks.
    fn unasked(&self, asked: &Asked, body: &Value, came: &Message) -> String {
        let told: Value = serde_json::from_slice(&came.body).expect("JSON");
        let protocol = protocol(came.head.word());
        if protocol == self.client {
            // As it is, but for the model.
            let mut body = body.clone();
            if came.head.word().contains(":rawPredict")
                || came.head.word().contains(":streamRawPredict")
            {
                // The path names the model, the body the version of the dialect.
                body.as_object_mut().expect("an object").shift_remove("model");
                body["anthropic_version"] = "vertex-2023-10-16".into();
            } else if body["model"].is_string() {
                body["model"] = told["model"].clone();
            }
            match (body == told, self.is_odd()) {
                (true, _) => return String::new(),
                (false, false) => return format!("{told} for {body}"),
                (false, true) => {}
            }
        }
        asked.unlike(&read(protocol, &told, streams(came)))
    }

    /// Whether the provider speaks OpenAI in its own way.
    fn is_odd(&self) -> bool {
        let provider = data::provider(self.row.provider()).expect("a row of the table");
        self.client == Protocol::Chat && !provider.quirks.is_empty()
    }

    /// What the client hears otherwise than the provider says.
    fn unheard(&self, came: &Message, answer: &Answer) -> String {
        let protocol = protocol(came.head.word());
        if protocol == self.client {
            return self.altered(protocol, answer);
        }
        if self.column == Column::Error && !self.stream {
            return self.failed(answer);
        }
        if answer.status != 200 {
            return format!("status {}", answer.status);
        }
        let said = fakes::said(protocol, self.row.provider(), self.column, self.stream);
        let heard = match self.stream {
            true => heard_stream(self.client, false, answer.text()),
            false => heard(self.client, &answer.message.body),
        };
        told(said, self.client).unlike(&heard)
    }

    /// What is not as the provider said it, byte by byte.
    fn altered(&self, protocol: Protocol, answer: &Answer) -> String {
        let said = fakes::answer(protocol, self.row.provider(), self.column, self.stream);
        let same = match self.stream && self.column == Column::Error {
            // The proxy may end what breaks off.
            true => answer.text().starts_with(&said),
            false => answer.text() == said,
        };
        let failed = !self.stream && self.column == Column::Error;
        let status = if failed { 400 } else { 200 };
        let same = same && answer.status == status;
        if same { String::new() } else { format!("{} for {said}", answer.status) }
    }

    /// What is wrong with an error.
    fn failed(&self, answer: &Answer) -> String {
        let body = answer.json();
        let provider = data::provider(self.row.provider()).expect("a row of the table");
        let (title, failed) = (provider.title, fakes::FAILED);
        let said = format!("litellm.ContextWindowExceededError: {title}Exception - {failed}");
        let error = &body["error"];
        let enveloped = match self.client {
            Protocol::Messages => {
                body["type"] == "error" && error["type"] == "invalid_request_error"
            }
            Protocol::Cohere => return self.failed_as(answer, &body["message"], &said),
            Protocol::Ollama => return self.failed_as(answer, error, &said),
            Protocol::Gemini => error["code"] == 400 && error["status"] == "INVALID_ARGUMENT",
            _ => error["code"] == "400" && error["type"].is_string(),
        };
        let same = answer.status == 400 && enveloped && error["message"] == said.as_str();
        if same { String::new() } else { format!("{} {body} for {said}", answer.status) }
    }

    /// What is wrong with an error that is its words alone.
    fn failed_as(&self, answer: &Answer, words: &Value, said: &str) -> String {
        let same = answer.status == 400 && words == said;
        if same { String::new() } else { format!("{} {words} for {said}", answer.status) }
    }

    /// What the provider must be asked after its answer.
    fn next(&self, mut asked: Asked, protocol: Protocol) -> Asked {
        let speech = fakes::speech(self.column);
        let provider = self.row.provider();
        // These carry the proofs of calls alone, and a thought is nothing to some without its own.
        let native = matches!(self.client, Protocol::Cohere | Protocol::Ollama);
        let claude = matches!(protocol, Protocol::Messages | Protocol::Converse);
        let strict = claude || protocol == Protocol::Responses;
        let loses = native && (strict || provider == "litellm_proxy");
        let proves = !native || protocol == Protocol::Gemini;
        if loses && claude && !speech.thought.is_empty() {
            // Claude does not think on without it.
            asked.thinking = None;
        }
        if !speech.thought.is_empty() && takes_thoughts(protocol, provider) && !loses {
            // OpenAI's summary of a thought is for people; the thought is in its cipher.
            if protocol != Protocol::Responses {
                asked.said.push(Piece::Thought(speech.thought.to_owned()));
            }
            let proof = fakes::proof(protocol, provider).filter(|_| proves);
            asked.proofs.extend(proof.map(str::to_owned));
        }
        if !speech.text.is_empty() {
            asked.said.push(Piece::Model(speech.text.to_owned()));
        }
        for (_, harbour) in speech.calls {
            let input = serde_json::json!({"harbour": harbour});
            asked.said.push(Piece::Call(TOOL.to_owned(), input));
        }
        for (at, told) in RESULTS.iter().enumerate().take(speech.calls.len()) {
            asked.said.push(Piece::Result(Some(at), (*told).to_owned()));
        }
        asked
    }
}

/// Whether thoughts go back to where they came from.
fn takes_thoughts(protocol: Protocol, provider: &str) -> bool {
    let takes = ["openrouter", "litellm_proxy", "deepseek"];
    protocol != Protocol::Chat || takes.contains(&provider)
}
