//! A client that sends exactly the bytes it is told to.
use crate::wire::{Ended, Message, PATIENCE, Wire};
use bytes::Bytes;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A call that is about to be made.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    method: &'static str,
    target: String,
    headers: Vec<(String, String)>,
    /// What is sent below the head.
    pub(crate) body: Bytes,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// First line, headers, body, end.
    pub(crate) message: Message,
}

/// `GET target`.
pub(crate) fn get(target: impl Into<String>) -> Call {
    Call { method: "GET", target: target.into(), headers: Vec::new(), body: Bytes::new() }
}

/// A request without a body.
pub(crate) fn request(method: &'static str, target: impl Into<String>) -> Call {
    Call { method, ..get(target) }
}

/// `POST target` with a JSON body.
pub(crate) fn post(target: impl Into<String>, body: impl AsRef<[u8]>) -> Call {
    let body = Bytes::copy_from_slice(body.as_ref());
    Call { method: "POST", target: target.into(), headers: Vec::new(), body }
        .header("content-type", "application/json")
}

/// `method target` with a body of any type.
pub(crate) fn with_body(
    method: &'static str,
    target: impl Into<String>,
    content_type: &str,
    body: impl AsRef<[u8]>,
) -> Call {
    let body = Bytes::copy_from_slice(body.as_ref());
    Call { method, target: target.into(), headers: Vec::new(), body }
        .header("content-type", content_type)
}

/// A chat call for `model` that says "hi".
pub(crate) fn chat(model: &str) -> Call {
    let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"hi"}}]}}"#);
    post("/v1/chat/completions", body)
}

/// The same, streamed.
pub(crate) fn chat_stream(model: &str) -> Call {
    let body = format!(
        r#"{{"model":"{model}","stream":true,"messages":[{{"role":"user","content":"hi"}}]}}"#
    );
    post("/v1/chat/completions", body)
}

impl Call {
    /// Adds a header field.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds `Authorization: Bearer key`.
    pub(crate) fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// The bytes that go over the wire.
    pub(crate) fn bytes(&self, addr: SocketAddr) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head += &format!("host: {addr}\r\n");
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let framed = self.headers.iter().any(|(name, _)| {
            name.eq_ignore_ascii_case("content-length")
                || name.eq_ignore_ascii_case("transfer-encoding")
        });
        if !(framed || self.method == "GET" && self.body.is_empty()) {
            head += &format!("content-length: {}\r\n", self.body.len());
        }
        let mut bytes = (head + "\r\n").into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Makes the call on a connection of its own and reads the whole answer.
    pub(crate) async fn send(&self, addr: SocketAddr) -> Answer {
        let mut wire = self.open(addr).await;
        wire.answer().await
    }

    /// Makes the call on a connection of its own and leaves the answer unread.
    pub(crate) async fn open(&self, addr: SocketAddr) -> Wire {
        let mut wire = connect(addr).await;
        wire.send(self.bytes(addr)).await.expect("the proxy reads calls");
        wire
    }
}

impl Wire {
    /// The next answer, whole.
    pub(crate) async fn answer(&mut self) -> Answer {
        let message = self.response().await.expect("an answer").expect("an answer, not an end");
        Answer { status: message.head.word().parse().expect("a status"), message }
    }
}

impl Answer {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.message.head.get(name)
    }

    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.message.body).expect("a body in UTF-8")
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.message.body)
            .unwrap_or_else(|error| panic!("{error} in {}: {:?}", self.status, self.text()))
    }

    /// The message of an error, whatever the dialect.
    pub(crate) fn error_message(&self) -> String {
        let body = self.json();
        body["error"]["message"].as_str().unwrap_or_default().to_owned()
    }

    /// Whether the body came to the end that its framing promised.
    pub(crate) fn is_whole(&self) -> bool {
        self.message.ended == Ended::Complete
    }

    /// Asserts the status, showing the body when it is another one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        let body = String::from_utf8_lossy(&self.message.body);
        assert_eq!(self.status, status, "{}\n{body}", self.message.head.first);
        self
    }

    /// The `data` of each event of a stream.
    pub(crate) fn events(&self) -> Vec<String> {
        let data = self.text().split("\n\n").filter_map(|event| {
            event.lines().find_map(|line| line.strip_prefix("data: ")).map(str::to_owned)
        });
        data.collect()
    }
}

/// A connection to the proxy.
pub(crate) async fn connect(addr: SocketAddr) -> Wire {
    let io = timeout(PATIENCE, TcpStream::connect(addr)).await.expect("in time");
    let io = io.expect("the proxy accepts");
    io.set_nodelay(true).expect("a TCP socket");
    Wire::new(io)
}
