//! Instructions that the parts of a call take: they do not depend on the machine's load.
//!
//! Needs valgrind and `gungraun-runner`. Futures here are ready when they are first asked, so no
//! runtime is counted.
#![expect(missing_docs, reason = "gungraun's macros make public items of the benches")]
#![expect(clippy::disallowed_methods, reason = "gungraun's main exits by itself")]

use bartizan::config::{Compat, Telemetry as Settings, parse_str};
use bartizan::credentials::Credentials;
use bartizan::edge::{
    Answer, BodyRules, Budget, HOP, Ingest, IngestLayer, Record, RecordLayer, Wanted,
};
use bartizan::forward::Forwarder;
use bartizan::providers::openai::{EditPlan, Edited, edited};
use bartizan::providers::{Contents, Operation, Prompt};
use bartizan::router::Router;
use bartizan::state::State;
use bartizan::tasks::Tasks;
use bartizan::telemetry::{
    DeploymentLabels, LogWriter, Metrics, RequestId, Served, Telemetry, Trail,
};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::facts::{Price, Principal, Rates, Usage, UsageCell};
use bartizan_layers::wire::sse::Events;
use bartizan_layers::wire::tap::{Framing, Tap, Wire};
use bytes::Bytes;
use futures_util::FutureExt;
use gungraun::{library_benchmark, library_benchmark_group, main};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Collected};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::util::ServiceFn;
use tower::{Layer, Service, service_fn};

/// Events of a stream that carry content.
const CHUNKS: usize = 100;

/// What a connection hands over at once of a large body.
const FRAME: usize = 16 << 10;

type Respond<B, E> = ServiceFn<fn(Request<B>) -> Ready<Result<Response<Body>, E>>>;

// Ingest: body → prompt.

#[library_benchmark]
#[bench::b512(ingest_setup(512))]
#[bench::kb4(ingest_setup(4 << 10))]
#[bench::kb500(ingest_setup(500 << 10))]
fn ingest(
    (mut service, request): (Ingest<Respond<Prompt, BoxError>>, Request<Frames>),
) -> Option<Result<Response<Body>, BoxError>> {
    black_box(service.call(black_box(request)).now_or_never())
}

fn ingest_setup(len: usize) -> (Ingest<Respond<Prompt, BoxError>>, Request<Frames>) {
    let leaf = service_fn(answer_prompt as fn(Request<Prompt>) -> _);
    let rules = BodyRules {
        cap: 32 << 20,
        budget: Budget::new(256 << 20),
        default_model: None,
        elsewhere: false,
        largest_file: None,
        wanted: wanted(),
    };
    let mut service = IngestLayer::with_policy(rules).layer(leaf);
    let warm = service.call(ingest_request(len)).now_or_never();
    assert!(matches!(warm, Some(Ok(_))), "the prompt is taken");
    (service, ingest_request(len))
}

/// What the layers behind ingest want to know where nothing is limited and nothing is kept.
fn wanted() -> Wanted {
    let (config, _) = parse_str("model_list: []").expect("a config without models");
    let forwarder = Forwarder::new(&config.outbound, Tasks::default()).expect("no proxy URL");
    let metrics = Arc::new(Metrics::new(Compat::Current));
    let (state, _) = State::new(None, None);
    let hop = (HOP, HeaderValue::from_static("bench"));
    let credentials = Credentials::new(forwarder, Tasks::default(), CancellationToken::new());
    let router =
        Router::new(config.routing, credentials, &metrics, (&state, None), hop, None, None);
    Wanted::new(router, false, None, None)
}

fn answer_prompt(prompt: Request<Prompt>) -> Ready<Result<Response<Body>, BoxError>> {
    black_box(prompt);
    ready(Ok(Response::new(Body::empty())))
}

fn ingest_request(len: usize) -> Request<Frames> {
    let body = prompt(len);
    let mut request = Request::new(Frames::of(&body));
    *request.method_mut() = Method::POST;
    let trail = Trail::new(RequestId::random(), Method::POST, Operation::ChatCompletions.route());
    let facts = request.extensions_mut();
    facts.insert(Operation::ChatCompletions);
    facts.insert(principal());
    facts.insert(trail);
    request
}

// Splice: prompt → the provider's request.

#[library_benchmark]
#[bench::b512(prompt(512))]
#[bench::kb4(prompt(4 << 10))]
#[bench::kb500(prompt(500 << 10))]
fn scan_and_splice(body: Bytes) -> Edited {
    let model = Bytes::from_static(b"\"gpt-4o-mini\"");
    let plan = EditPlan {
        model: Some(&model),
        version: None,
        defaults: &[],
        extra_body: &[],
        drop: &[],
        stream_usage: true,
        keep_metadata: false,
        quirks: &bartizan::data::Quirks::NONE,
        allowed: &[],
    };
    let contents = Contents { stream: true, ..Contents::of(black_box(body).into()) };
    let prompt = Prompt::new(contents, None);
    edited(&Operation::ChatCompletions, &prompt, &plan).expect("nothing stands twice")
}

// Streams: 100 chunks and the ending, each in a frame of its own.

#[library_benchmark]
#[bench::chunks100(stream())]
fn sse_reader(frames: Vec<Bytes>) -> (usize, Vec<Bytes>) {
    let (mut events, mut seen) = (Events::new(), 0);
    for frame in &frames {
        events.push(black_box(frame), |event| seen += event.data.len());
    }
    (seen, frames)
}

#[library_benchmark]
#[bench::pass(tap_setup(false))]
#[bench::take_out_usage(tap_setup(true))]
fn tap((mut tap, mut frames): (Tap, Vec<Bytes>)) -> (Tap, Vec<Bytes>) {
    for frame in &mut frames {
        *frame = black_box(tap.push(std::mem::take(frame))).unwrap_or_default();
    }
    (tap, frames)
}

fn tap_setup(take_out: bool) -> (Tap, Vec<Bytes>) {
    let tap = Tap::new(Wire::Chat, Framing::Events).cell(bill());
    (if take_out { tap.take_out_usage_event() } else { tap }, stream())
}

// Record: the trail, the metrics and the line of a call.

#[library_benchmark]
#[bench::json_line(record_setup())]
fn record((mut service, request): (Record<Respond<(), Infallible>>, Request<()>)) -> Recorded {
    black_box(call_recorded(&mut service, black_box(request)))
}

type Recorded = Option<Result<Collected<Bytes>, BoxError>>;

fn call_recorded(service: &mut Record<Respond<(), Infallible>>, request: Request<()>) -> Recorded {
    let rsp: Response<Answer> = service.call(request).now_or_never()?.ok()?;
    rsp.into_body().collect().now_or_never()
}

fn record_setup() -> (Record<Respond<(), Infallible>>, Request<()>) {
    let settings =
        Settings { level: tracing::Level::INFO, json: Some(true), metrics_need_key: None };
    let writer = LogWriter::start(std::io::sink()).expect("a thread");
    let metrics = Arc::new(Metrics::new(Compat::Current));
    let leaf = service_fn(answer_recorded as fn(Request<()>) -> _);
    let mut service = RecordLayer::new(Telemetry::new(&settings, metrics, writer)).layer(leaf);
    // The first calls of a kind make their metrics.
    for _ in 0..2 {
        let warm = call_recorded(&mut service, record_request());
        assert!(matches!(warm, Some(Ok(_))), "the call is answered");
    }
    (service, record_request())
}

fn record_request() -> Request<()> {
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    request.extensions_mut().insert(Operation::ChatCompletions);
    request
}

/// What the layers inside leave on the trail of an answered call.
fn answer_recorded(request: Request<()>) -> Ready<Result<Response<Body>, Infallible>> {
    let (parts, ()) = request.into_parts();
    let trail: &Trail = parts.extensions.get().expect("the record left a trail");
    let (requested, deployment) = &*SERVED;
    let usage = bill();
    usage.set(Usage::tokens(120, 12));
    trail.set_principal(principal());
    trail.set_requested(requested.clone());
    trail.set_served(Served { deployment: deployment.clone(), model: None, usage });
    trail.set_sent(Instant::now());
    trail.set_first_content(Instant::now());
    let mut rsp = Response::new(Body::Full(Bytes::from_static(br#"{"choices":[]}"#)));
    *rsp.status_mut() = StatusCode::OK;
    ready(Ok(rsp))
}

/// As in the proxy, these are shared by all calls of a deployment.
static SERVED: LazyLock<(Arc<str>, Arc<DeploymentLabels>)> = LazyLock::new(|| {
    let labels = DeploymentLabels {
        model_id: "0123456789abcdef".into(),
        model_group: "fast".into(),
        model: "gpt-4o-mini".into(),
        litellm_model_name: "openai/gpt-4o-mini".into(),
        api_provider: "openai",
        api_base: "http://127.0.0.1:8080/v1".into(),
    };
    ("fast".into(), Arc::new(labels))
});

static PRINCIPAL: LazyLock<Principal> = LazyLock::new(|| Principal {
    admin: true,
    ..Principal::new("litellm_proxy_master_key", "default_user_id")
});

fn principal() -> Principal {
    PRINCIPAL.clone()
}

fn bill() -> UsageCell {
    UsageCell::new(Price::flat(Rates::tokens(150_000, 600_000)))
}

/// A conversation of about `len` bytes.
fn prompt(len: usize) -> Bytes {
    let head = r#"{"model":"fast","stream":true,"temperature":0.2,"messages":["#;
    let turn = r#"{"role":"user","content":"Show both forms, \"map\" and \"flat_map\".\nThen say which one you would use, and why."}"#;
    let turns = len.saturating_sub(head.len() + 2).div_ceil(turn.len() + 1);
    format!("{head}{}]}}", vec![turn; turns].join(",")).into()
}

/// A body as a connection hands it over.
struct Frames {
    frames: VecDeque<Bytes>,
    left: u64,
}

impl Frames {
    fn of(body: &[u8]) -> Self {
        let frames = body.chunks(FRAME).map(Bytes::copy_from_slice).collect();
        Self { frames, left: body.len() as u64 }
    }
}

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = self.frames.pop_front();
        self.left -= frame.as_ref().map_or(0, |frame| frame.len() as u64);
        Poll::Ready(frame.map(|frame| Ok(Frame::data(frame))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// A stream as OpenAI sends it.
fn stream() -> Vec<Bytes> {
    let choice = |delta: &str, finish: &str| {
        format!(r#"[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}]"#)
    };
    let first = chunk(&choice(r#"{"role":"assistant","content":"","refusal":null}"#, "null"));
    let words = (0..CHUNKS).map(|at| {
        let word = ["The", " answer", " depends", " on", ",\\n"][at % 5];
        chunk(&choice(&format!(r#"{{"content":"{word}"}}"#), "null"))
    });
    let ending = [
        chunk(&choice("{}", r#""stop""#)),
        chunk("[]").replace(
            r#""usage":null"#,
            r#""usage":{"prompt_tokens":120,"completion_tokens":100,"total_tokens":220,"prompt_tokens_details":{"cached_tokens":0}}"#,
        ),
        "data: [DONE]\n\n".to_owned(),
    ];
    std::iter::once(first).chain(words).chain(ending).map(Bytes::from).collect()
}

fn chunk(choices: &str) -> String {
    let head = r#"{"id":"chatcmpl-ASYMaNc7XmbGRUNREnmvhyyISBHsv","object":"chat.completion.chunk","created":1731368640,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_0ba0d124f1""#;
    format!("data: {head},\"choices\":{choices},\"usage\":null}}\n\n")
}

library_benchmark_group!(
    name = parts,
    benchmarks = [ingest, scan_and_splice, sse_reader, tap, record]
);
main!(library_benchmark_groups = parts);
