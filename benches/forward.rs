//! What a call through the proxy costs over going straight to its upstream: allocations and time.
//!
//! Client and upstream are threads of this process that allocate nothing in a call (`direct`
//! shows it), so what is counted is the proxy's. It runs as `serve` runs it, with a key, a record,
//! a JSON line and metrics; plain HTTP/1.1, one worker thread.
use anyhow::{Context, anyhow, ensure};
use bartizan::config::{Config, parse_str};
use bartizan::server::{Drain, bind, runtime};
use bartizan::telemetry::LogWriter;
use bartizan::{Listeners, run};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use tokio::time::Instant;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const KEY: &str = "sk-bench";

/// Events of a streamed answer that carry content.
const CHUNKS: usize = 100;

/// Calls before the first one that counts: connections are open then, and buffers have grown.
const WARM_UP: usize = 200;

/// One kind of call.
struct Case {
    name: &'static str,
    model: &'static str,
    prompt: usize,
    calls: usize,
}

const CASES: [Case; 4] = [
    Case { name: "512 B", model: "whole", prompt: 512, calls: 5000 },
    Case { name: "4 KB", model: "whole", prompt: 4 << 10, calls: 5000 },
    Case { name: "500 KB", model: "whole", prompt: 500 << 10, calls: 500 },
    Case { name: "512 B, 100 chunks", model: "stream", prompt: 512, calls: 1000 },
];

/// What one call costs.
struct Cost {
    allocations: f64,
    kilobytes: f64,
    median: Duration,
    slowest_hundredth: Duration,
}

fn main() -> anyhow::Result<()> {
    // `cargo bench` says so; whoever lists or runs tests does not mean us.
    if !std::env::args().any(|arg| arg == "--bench") {
        return Ok(());
    }
    let whole = start_upstream(vec![whole_answer()])?;
    let stream = start_upstream(streamed_answer())?;
    let proxy = Proxy::start(config(whole, stream)?)?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<18} {:>11} {:>9} {:>7} {:>12} {:>12} {:>10} {:>10}",
        "per call", "allocations", "allocated", "direct", "direct", "proxied", "added", "added"
    )?;
    writeln!(
        out,
        "{:<18} {:>11} {:>9} {:>7} {:>12} {:>12} {:>10} {:>10}",
        "", "", "KB", "allocs", "median µs", "median µs", "median µs", "p99 µs"
    )?;
    for case in CASES {
        let upstream = if case.model == "stream" { stream } else { whole };
        let direct = measure(upstream, &case).context("straight to the upstream")?;
        let through = measure(proxy.address, &case).context("through the proxy")?;
        let added = |what: fn(&Cost) -> Duration| micros(what(&through)) - micros(what(&direct));
        writeln!(
            out,
            "{:<18} {:>11.1} {:>9.1} {:>7.1} {:>12.1} {:>12.1} {:>10.1} {:>10.1}",
            case.name,
            through.allocations,
            through.kilobytes,
            direct.allocations,
            micros(direct.median),
            micros(through.median),
            added(|cost| cost.median),
            added(|cost| cost.slowest_hundredth),
        )?;
    }
    proxy.stop()
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// A proxy on a thread and a runtime of its own.
struct Proxy {
    address: SocketAddr,
    drain: Drain,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Proxy {
    fn start(config: Config) -> anyhow::Result<Self> {
        let runtime = runtime::build(Some(1))?;
        let listener = runtime.block_on(async { bind((Ipv4Addr::LOCALHOST, 0).into()) })?;
        let address = listener.local_addr()?;
        let drain = Drain::new(Duration::from_secs(1));
        let listeners = Listeners { calls: vec![listener], ops: None };
        let serving = run(config, listeners, drain.clone(), LogWriter::start(io::sink())?);
        let thread =
            Builder::new().name("proxy".into()).spawn(move || runtime.block_on(serving))?;
        Ok(Self { address, drain, thread })
    }

    fn stop(self) -> anyhow::Result<()> {
        self.drain.end_now();
        self.thread.join().map_err(|_| anyhow!("the proxy panicked"))?
    }
}

fn config(whole: SocketAddr, stream: SocketAddr) -> anyhow::Result<Config> {
    let text = format!(
        "model_list:
  - model_name: whole
    litellm_params: {{ model: openai/gpt-4o-mini, api_base: 'http://{whole}/v1', api_key: sk-up }}
  - model_name: stream
    litellm_params: {{ model: openai/gpt-4o-mini, api_base: 'http://{stream}/v1', api_key: sk-up }}
general_settings:
  master_key: {KEY}
"
    );
    let (mut config, problems) = parse_str(&text).map_err(|refused| anyhow!("{refused:?}"))?;
    ensure!(config.routing.deployments.len() == 2, "{}", problems.render(false));
    config.telemetry.json = Some(true);
    Ok(config)
}

/// Makes the calls of a case one after the other on one connection.
fn measure(to: SocketAddr, case: &Case) -> anyhow::Result<Cost> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_nodelay(true)?;
    let request = request(case);
    let mut buffer = vec![0; 1 << 20];
    for _ in 0..WARM_UP.min(case.calls) {
        call(&mut stream, &request, &mut buffer)?;
    }
    let mut times = Vec::with_capacity(case.calls);
    let region = Region::new(ALLOCATOR);
    for _ in 0..case.calls {
        let begun = Instant::now();
        call(&mut stream, &request, &mut buffer)?;
        times.push(begun.elapsed());
    }
    let stats = region.change();
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    let calls = case.calls as f64;
    Ok(Cost {
        allocations: (stats.allocations + stats.reallocations) as f64 / calls,
        kilobytes: stats.bytes_allocated as f64 / calls / 1024.0,
        median: at(50),
        slowest_hundredth: at(99),
    })
}

fn call(stream: &mut TcpStream, request: &[u8], buffer: &mut [u8]) -> anyhow::Result<()> {
    stream.write_all(request)?;
    let answer = read_message(stream, buffer)?;
    let answer = buffer.get(..answer).unwrap_or_default();
    ensure!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(answer));
    Ok(())
}

/// Answers each request of each connection with `pieces`, one write for each.
fn start_upstream(pieces: Vec<Vec<u8>>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    Builder::new().name("upstream".into()).spawn(move || {
        std::thread::scope(|scope| {
            for stream in listener.incoming().map_while(Result::ok) {
                // A connection that breaks ends its thread; the client sees what is missing.
                scope.spawn(|| answer_all(stream, &pieces).ok());
            }
        });
    })?;
    Ok(address)
}

fn answer_all(mut stream: TcpStream, pieces: &[Vec<u8>]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 1 << 20];
    while read_message(&mut stream, &mut buffer)? > 0 {
        for piece in pieces {
            stream.write_all(piece)?;
        }
    }
    Ok(())
}

/// Reads one HTTP/1.1 message and returns its length; 0 when the peer has closed.
fn read_message(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let (mut read, mut head) = (0, None);
    loop {
        match stream.read(buffer.get_mut(read..).unwrap_or_default())? {
            0 if read == 0 => return Ok(0),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => read += more,
        }
        let message = buffer.get(..read).unwrap_or_default();
        head = head.or_else(|| Head::of(message));
        let whole = match head {
            None => false,
            Some(Head { len, body: Some(body) }) => read >= len + body,
            Some(Head { body: None, .. }) => message.ends_with(b"\r\n0\r\n\r\n"),
        };
        if whole {
            return Ok(read);
        }
    }
}

/// The lengths of a message's head and body; a body without one is chunked.
#[derive(Clone, Copy)]
struct Head {
    len: usize,
    body: Option<usize>,
}

impl Head {
    fn of(message: &[u8]) -> Option<Self> {
        let end = message.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = std::str::from_utf8(message.get(..end)?).ok()?;
        let mut fields = head.lines().filter_map(|line| line.split_once(": "));
        let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        Some(Self { len: end + 4, body: length.and_then(|(_, length)| length.parse().ok()) })
    }
}

fn request(case: &Case) -> Vec<u8> {
    let Case { model, prompt, .. } = case;
    let stream = *model == "stream";
    let head = format!(r#"{{"model":"{model}","stream":{stream},"temperature":0.2,"messages":["#);
    let turn = r#"{"role":"user","content":"Show both forms, \"map\" and \"flat_map\".\nThen say which one you would use, and why."}"#;
    let turns = prompt.saturating_sub(head.len() + 2).div_ceil(turn.len() + 1).max(1);
    let body = format!("{head}{}]}}", vec![turn; turns].join(","));
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {KEY}\r\n\
         content-type: application/json\r\naccept: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn whole_answer() -> Vec<u8> {
    let body = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1731368640,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"Use flat_map where each step may give nothing or several."},"finish_reason":"stop"}],"usage":{"prompt_tokens":120,"completion_tokens":12,"total_tokens":132}}"#;
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A head, events, and the end, each of them written by itself.
fn streamed_answer() -> Vec<Vec<u8>> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                transfer-encoding: chunked\r\n\r\n";
    let delta = r#"{"content":" unable"}"#;
    let end = format!(
        "{}{}{}0\r\n\r\n",
        event(&chunk(r#"[{"index":0,"delta":{},"finish_reason":"stop"}]"#, "null")),
        event(&chunk("[]", r#"{"prompt_tokens":120,"completion_tokens":100,"total_tokens":220}"#)),
        event("[DONE]")
    );
    let choice = format!(r#"[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":null}}]"#);
    let event = event(&chunk(&choice, "null"));
    let events = std::iter::repeat_n(event, CHUNKS);
    std::iter::once(head.to_owned()).chain(events).chain([end]).map(String::into_bytes).collect()
}

fn chunk(choices: &str, usage: &str) -> String {
    format!(
        r#"{{"id":"chatcmpl-ASYMaNc7XmbGRUNREnmvhyyISBHsv","object":"chat.completion.chunk","created":1731368640,"model":"gpt-4o-mini","choices":{choices},"usage":{usage}}}"#
    )
}

fn event(data: &str) -> String {
    let event = format!("data: {data}\n\n");
    format!("{:x}\r\n{event}\r\n", event.len())
}
