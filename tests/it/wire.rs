//! HTTP/1.1 as bytes: just enough framing to write a client and an upstream that may misbehave.
use bytes::{Buf, Bytes, BytesMut};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// No answer takes longer than this, so a test that waits longer has found a hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The first line and the header fields of a message.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// The request line or the status line.
    pub(crate) first: String,
    /// Names in lower case, in order.
    pub(crate) headers: Vec<(String, String)>,
}

/// How a message's body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// As its framing promised.
    Complete,
    /// Before that.
    Cut,
}

/// A message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// First line and headers.
    pub(crate) head: Head,
    /// The body, unchunked.
    pub(crate) body: Bytes,
    /// How the body ended.
    pub(crate) ended: Ended,
}

/// A connection with what was read from it and not yet used.
#[derive(Debug)]
pub(crate) struct Wire {
    /// The socket, for tests that do something unusual with it.
    pub(crate) io: TcpStream,
    buf: BytesMut,
}

impl Head {
    /// The first field of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// How many fields have that name.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.headers.iter().filter(|(n, _)| n == name).count()
    }

    /// The second word of the first line: a status or a target.
    pub(crate) fn word(&self) -> &str {
        self.first.split(' ').nth(1).unwrap_or("")
    }

    fn parse(bytes: &[u8]) -> io::Result<Self> {
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        let mut lines = text.split("\r\n");
        let first = lines.next().unwrap_or("").to_owned();
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Ok(Self { first, headers })
    }

    fn is_chunked(&self) -> bool {
        self.get("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked"))
    }

    fn length(&self) -> Option<usize> {
        self.get("content-length").and_then(|v| v.parse().ok())
    }
}

impl Wire {
    pub(crate) fn new(io: TcpStream) -> Self {
        Self { io, buf: BytesMut::new() }
    }

    /// Writes all of it; a peer that is gone is an error.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.io.write_all(bytes.as_ref()).await
    }

    /// The next message's head; `None` when the peer closed before one began.
    pub(crate) async fn head(&mut self) -> io::Result<Option<Head>> {
        loop {
            if let Some(end) = memchr::memmem::find(&self.buf, b"\r\n\r\n") {
                let head = Head::parse(self.buf.get(..end).unwrap_or_default())?;
                self.buf.advance(end + 4);
                return Ok(Some(head));
            }
            if self.fill().await? == 0 {
                return if self.buf.is_empty() { Ok(None) } else { Err(cut()) };
            }
        }
    }

    /// A request with its body. A connection may be idle before it for as long as it likes.
    pub(crate) async fn idle_request(&mut self) -> io::Result<Option<Message>> {
        if self.buf.is_empty() && self.io.read_buf(&mut self.buf).await? == 0 {
            return Ok(None);
        }
        let Some(head) = self.head().await? else { return Ok(None) };
        if head.get("expect").is_some() {
            self.send("HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let (body, ended) = self.body(&head, false).await;
        Ok(Some(Message { head, body, ended }))
    }

    /// A response with its body; interim ones are skipped.
    pub(crate) async fn response(&mut self) -> io::Result<Option<Message>> {
        let Some(mut head) = self.head().await? else { return Ok(None) };
        while head.word().starts_with('1') {
            let Some(next) = self.head().await? else { return Ok(None) };
            head = next;
        }
        let (body, ended) = self.body(&head, true).await;
        Ok(Some(Message { head, body, ended }))
    }

    /// The body that belongs to `head`.
    pub(crate) async fn body(&mut self, head: &Head, response: bool) -> (Bytes, Ended) {
        let mut all = BytesMut::new();
        let bodiless = response && (head.word() == "204" || head.word() == "304");
        if head.is_chunked() {
            loop {
                match self.chunk().await {
                    Ok(Some(chunk)) => all.extend_from_slice(&chunk),
                    Ok(None) => return (all.freeze(), Ended::Complete),
                    Err(_) => return (all.freeze(), Ended::Cut),
                }
            }
        }
        match head.length() {
            Some(length) => self.exactly(length).await,
            None if response && !bodiless => self.rest().await,
            None => (Bytes::new(), Ended::Complete),
        }
    }

    /// One chunk of a chunked body; `None` is its end.
    pub(crate) async fn chunk(&mut self) -> io::Result<Option<Bytes>> {
        let line = self.line().await?;
        let size = usize::from_str_radix(line.split(';').next().unwrap_or("").trim(), 16)
            .map_err(io::Error::other)?;
        if size == 0 {
            while !self.line().await?.is_empty() {}
            return Ok(None);
        }
        while self.buf.len() < size + 2 {
            if self.fill().await? == 0 {
                return Err(cut());
            }
        }
        let chunk = self.buf.split_to(size).freeze();
        self.buf.advance(2);
        Ok(Some(chunk))
    }

    /// Everything up to the end of the connection.
    pub(crate) async fn rest(&mut self) -> (Bytes, Ended) {
        loop {
            match self.fill().await {
                Ok(0) => return (self.buf.split().freeze(), Ended::Complete),
                Ok(_) => {}
                Err(_) => return (self.buf.split().freeze(), Ended::Cut),
            }
        }
    }

    /// Waits until the peer is gone, whatever it still sends.
    pub(crate) async fn gone(&mut self) {
        loop {
            self.buf.clear();
            match self.io.read_buf(&mut self.buf).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }

    /// So many bytes, or all up to the end.
    pub(crate) async fn exactly(&mut self, length: usize) -> (Bytes, Ended) {
        while self.buf.len() < length {
            if !matches!(self.fill().await, Ok(1..)) {
                return (self.buf.split().freeze(), Ended::Cut);
            }
        }
        (self.buf.split_to(length).freeze(), Ended::Complete)
    }

    async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = memchr::memmem::find(&self.buf, b"\r\n") {
                let line = String::from_utf8_lossy(self.buf.get(..end).unwrap_or_default());
                let line = line.into_owned();
                self.buf.advance(end + 2);
                return Ok(line);
            }
            if self.fill().await? == 0 {
                return Err(cut());
            }
        }
    }

    async fn fill(&mut self) -> io::Result<usize> {
        self.buf.reserve(16 * 1024);
        match timeout(PATIENCE, self.io.read_buf(&mut self.buf)).await {
            Ok(read) => read,
            Err(_) => panic!("the peer was silent for {PATIENCE:?}; so far: {:?}", self.buf),
        }
    }
}

fn cut() -> io::Error {
    io::Error::from(io::ErrorKind::UnexpectedEof)
}
