//! A provider whose every byte a test decides.
use crate::wire::{Message, Wire};
use bytes::{Bytes, BytesMut};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A chat completion that says "ok".
pub(crate) const COMPLETION: &str = r#"{"id":"c1","object":"chat.completion","created":1,"model":"up","choices":[{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#;

/// One thing that the upstream does after it has read a request.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Writes these bytes as they are.
    Send(Bytes),
    /// Writes these bytes as one chunk of a chunked body.
    Chunk(Bytes),
    /// Writes one chunk this many times.
    Chunks(Bytes, usize),
    /// Ends a chunked body.
    End,
    /// Waits until the test opens the gate; a client that leaves meanwhile is counted.
    Wait(Gate),
    /// Says nothing more, until the client leaves.
    Hang,
    /// Closes the connection with a reset.
    Reset,
    /// Ends the connection in order.
    Close,
}

/// Holds scripts back until it is opened.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<watch::Sender<bool>>);

/// What upstreams have seen so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Connections that were accepted.
    pub(crate) connections: usize,
    /// Requests whose script has begun.
    pub(crate) begun: usize,
    /// Clients that left while a script was waiting or writing.
    pub(crate) left: usize,
    /// Connections that it is done with: a reset is on its way.
    pub(crate) ended: usize,
}

type Script = dyn Fn(&Message) -> Vec<Step> + Send + Sync;

/// A listening upstream; gone when dropped.
#[derive(Debug)]
pub(crate) struct Upstream {
    addr: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

struct Shared {
    script: Box<Script>,
    requests: Mutex<Vec<Message>>,
    seen: watch::Sender<Seen>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Lets every script that waits here, now or later, go on.
    pub(crate) fn open(&self) {
        self.0.send_replace(true);
    }

    async fn opened(&self) {
        let mut opened = self.0.subscribe();
        opened.wait_for(|open| *open).await.expect("the gate is held by self");
    }
}

impl Upstream {
    /// Plays the same script for every request.
    pub(crate) async fn playing(steps: Vec<Step>) -> Self {
        Self::start(move |_| steps.clone()).await
    }

    /// Plays whatever `script` says for each request.
    pub(crate) async fn start(
        script: impl Fn(&Message) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            script: Box::new(script),
            requests: Mutex::default(),
            seen: watch::Sender::new(Seen::default()),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&shared)));
        Self { addr, shared, _tasks: tasks }
    }

    /// Its address.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its address with the path that OpenAI-compatible deployments name.
    pub(crate) fn base(&self) -> String {
        format!("http://{}/v1", self.addr)
    }

    /// Its address alone.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Message> {
        self.shared.requests.lock().expect("no test panics with it").clone()
    }

    /// The request with this number, if it was made.
    pub(crate) fn request(&self, number: usize) -> Option<Message> {
        self.shared.requests.lock().expect("no test panics with it").get(number).cloned()
    }

    /// The one request that was made.
    pub(crate) fn only_request(&self) -> Message {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "one request is expected, not {requests:#?}");
        requests.into_iter().next().expect("it was counted")
    }

    /// What it has seen so far.
    pub(crate) fn seen(&self) -> Seen {
        self.shared.seen.borrow().clone()
    }

    /// Waits, for `limit` at most, until `enough` holds. `false`: it did not.
    pub(crate) async fn saw(&self, limit: Duration, enough: impl Fn(&Seen) -> bool) -> bool {
        let mut seen = self.shared.seen.subscribe();
        tokio::time::timeout(limit, seen.wait_for(|seen| enough(seen))).await.is_ok()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((io, _)) = listener.accept().await {
        shared.seen.send_modify(|seen| seen.connections += 1);
        io.set_nodelay(true).expect("a TCP socket");
        connections.spawn(serve(io, Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(io: TcpStream, shared: Arc<Shared>) {
    answer_all(io, &shared).await;
    shared.seen.send_modify(|seen| seen.ended += 1);
}

async fn answer_all(io: TcpStream, shared: &Shared) {
    let mut wire = Wire::new(io);
    while let Ok(Some(request)) = wire.idle_request().await {
        let steps = (shared.script)(&request);
        shared.requests.lock().expect("no test panics with it").push(request);
        shared.seen.send_modify(|seen| seen.begun += 1);
        for step in steps {
            if play(&mut wire, step, shared).await.is_break() {
                return;
            }
        }
    }
}

async fn play(wire: &mut Wire, step: Step, shared: &Shared) -> ControlFlow<()> {
    let sent = match step {
        Step::Send(bytes) => wire.send(bytes).await,
        Step::Chunk(bytes) => wire.send(chunk(&bytes)).await,
        Step::Chunks(bytes, times) => repeat(wire, &chunk(&bytes), times).await,
        Step::End => wire.send("0\r\n\r\n").await,
        Step::Wait(gate) => tokio::select! {
            () = gate.opened() => Ok(()),
            () = wire.gone() => Err(std::io::ErrorKind::BrokenPipe.into()),
        },
        Step::Hang => {
            wire.gone().await;
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        Step::Reset => {
            wire.io.set_zero_linger().expect("a TCP socket");
            return ControlFlow::Break(());
        }
        Step::Close => {
            // The error would say that the client left first, which is as good an end.
            wire.io.shutdown().await.ok();
            wire.gone().await;
            return ControlFlow::Break(());
        }
    };
    if sent.is_err() {
        shared.seen.send_modify(|seen| seen.left += 1);
        return ControlFlow::Break(());
    }
    ControlFlow::Continue(())
}

async fn repeat(wire: &mut Wire, bytes: &[u8], times: usize) -> std::io::Result<()> {
    for _ in 0..times {
        wire.send(bytes).await?;
    }
    Ok(())
}

fn chunk(bytes: &[u8]) -> Bytes {
    let mut framed = BytesMut::from(format!("{:x}\r\n", bytes.len()).as_bytes());
    framed.extend_from_slice(bytes);
    framed.extend_from_slice(b"\r\n");
    framed.freeze()
}

/// `text` as it is.
pub(crate) fn send(text: impl Into<Bytes>) -> Step {
    Step::Send(text.into())
}

/// `text` as one chunk.
pub(crate) fn piece(text: impl Into<Bytes>) -> Step {
    Step::Chunk(text.into())
}

/// A whole answer with a length.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<Step> {
    let body = body.as_ref();
    let length = body.len().to_string();
    let mut bytes = head(status, headers, ("content-length", &length)).into_bytes();
    bytes.extend_from_slice(body);
    vec![send(bytes)]
}

/// A whole JSON answer.
pub(crate) fn json(status: u16, body: impl AsRef<[u8]>) -> Vec<Step> {
    answer(status, &[("content-type", "application/json")], body)
}

/// The head of an event stream; chunks and [`Step::End`] follow.
pub(crate) fn stream_head() -> Step {
    chunked_head(200, &[("content-type", "text/event-stream")])
}

/// The head of a chunked answer.
pub(crate) fn chunked_head(status: u16, headers: &[(&str, &str)]) -> Step {
    send(head(status, headers, ("transfer-encoding", "chunked")))
}

/// A whole event stream, one chunk for each event.
pub(crate) fn stream(events: &[&str]) -> Vec<Step> {
    let events = events.iter().map(|event| piece(format!("data: {event}\n\n")));
    std::iter::once(stream_head()).chain(events).chain([Step::End]).collect()
}

fn head(status: u16, headers: &[(&str, &str)], framing: (&str, &str)) -> String {
    let mut head = format!("HTTP/1.1 {status} Status\r\n");
    for (name, value) in headers.iter().chain([&framing]) {
        write!(head, "{name}: {value}\r\n").expect("strings take everything");
    }
    head + "\r\n"
}
