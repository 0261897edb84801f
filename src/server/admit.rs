//! What is done with each request before the service has it, and what is refused: requests that
//! hyper lets through but that two servers could read in two ways.
use super::conn::{Open, State};
use bartizan_layers::facts::Peer;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::uri::Authority;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::Service;
use hyper::upgrade::OnUpgrade;
use pin_project::pin_project;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

/// Refuses what must not be forwarded, and counts the open calls of one
/// connection.
#[derive(Debug)]
pub(super) struct Admit<S> {
    service: Arc<S>,
    state: Arc<State>,
    peer: Peer,
    peers: Peers,
}

impl<S> Admit<S> {
    pub(super) fn new(service: Arc<S>, state: Arc<State>, peer: Peer, peers: Peers) -> Self {
        Self { service, state, peer, peers }
    }
}

/// Whether requests carry the fact [`Peer`]: few configs ask who calls, and each fact costs every
/// call. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Peers(Arc<AtomicBool>);

impl Peers {
    /// Lets requests carry it from now on.
    pub fn tell(&self) {
        self.0.store(true, Relaxed);
    }
}

impl<S, B> Service<Request<Incoming>> for Admit<S>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
{
    type Response = Response<Answer<B>>;
    type Error = Infallible;
    type Future = Admitted<S::Future>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let open = Some(self.state.open(request.version() == Version::HTTP_2));
        // hyper's, where the client asks for another protocol; else there are no facts yet.
        let upgrade = request.extensions_mut().remove::<OnUpgrade>();
        if let Err(refusal) = check(&mut request) {
            return Admitted::Refused { refusal, open };
        }
        if self.peers.0.load(Relaxed) {
            request.extensions_mut().insert(self.peer);
        }
        let switch = upgrade.map(|upgrade| (upgrade, Arc::clone(&self.state)));
        Admitted::Called { call: self.service.call(request), open, switch }
    }
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Host,
    Connect,
    Coding,
}

/// RFC 9112 3.2 (one valid `Host`, and a target in absolute form overrules it), 6.1 (codings that
/// we do not know), RFC 9110 9.3.6 (we are no tunnel).
fn check<B>(request: &mut Request<B>) -> Result<(), Refusal> {
    if request.method() == Method::CONNECT {
        return Err(Refusal::Connect);
    }
    let headers = request.headers();
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() || host.is_some_and(|host| !is_authority(host.as_bytes())) {
        return Err(Refusal::Host);
    }
    if request.version() == Version::HTTP_2 {
        let named = request.uri().authority().map(Authority::as_str);
        let same =
            |name: &str, host: &HeaderValue| host.as_bytes().eq_ignore_ascii_case(name.as_bytes());
        let clash = matches!((named, host), (Some(name), Some(host)) if !same(name, host));
        return if clash { Err(Refusal::Host) } else { Ok(()) };
    }
    if host.is_none() && request.version() == Version::HTTP_11 {
        return Err(Refusal::Host);
    }
    if headers.contains_key(TRANSFER_ENCODING) {
        let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
        let one = codings.next().is_some_and(|c| c.as_bytes().eq_ignore_ascii_case(b"chunked"));
        if !one || codings.next().is_some() {
            return Err(Refusal::Coding);
        }
    }
    if request.uri().scheme().is_some() { to_origin_form(request) } else { Ok(()) }
}

/// Makes `GET http://host/path` into `GET /path` with that host, as RFC 9112 3.2.2 asks.
fn to_origin_form<B>(request: &mut Request<B>) -> Result<(), Refusal> {
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    let authority = parts.authority.take().ok_or(Refusal::Host)?;
    let host = HeaderValue::from_str(authority.as_str()).map_err(|_| Refusal::Host)?;
    if !is_authority(host.as_bytes()) {
        return Err(Refusal::Host);
    }
    parts.scheme = None;
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| Refusal::Host)?;
    request.headers_mut().insert(HOST, host);
    Ok(())
}

/// The characters that can stand in an authority.
static IN_AUTHORITY: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'-' | b'.'
                    | b'_'
                    | b'~'
                    | b'%'
                    | b'!'
                    | b'$'
                    | b'&'
                    | b'\''
                    | b'('
                    | b')'
                    | b'*'
                    | b'+'
                    | b','
                    | b';'
                    | b'='
                    | b':'
                    | b'['
                    | b']'
            );
        byte += 1;
    }
    table
};

/// Whether this could be `host [":" port]` of an `http` URL (RFC 3986 3.2.2, RFC 9110 4.2.1): not
/// empty, and no character that belongs to another part of a URL.
fn is_authority(host: &[u8]) -> bool {
    !host.is_empty() && host.iter().all(|byte| IN_AUTHORITY[usize::from(*byte)])
}

impl Refusal {
    fn answer<B>(self, open: Open) -> Response<Answer<B>> {
        let (status, text) = match self {
            Self::Host => (
                StatusCode::BAD_REQUEST,
                r#"{"error":{"message":"The request needs exactly one valid Host header.","type":"invalid_request_error","param":null,"code":"400"}}"#,
            ),
            Self::Coding => (
                StatusCode::NOT_IMPLEMENTED,
                r#"{"error":{"message":"Only `chunked` is accepted as Transfer-Encoding; send the body without another coding.","type":"invalid_request_error","param":null,"code":"501"}}"#,
            ),
            Self::Connect => (
                StatusCode::METHOD_NOT_ALLOWED,
                r#"{"error":{"message":"CONNECT is not accepted: this is not a proxy for tunnels. Use its address as the base URL.","type":"invalid_request_error","param":null,"code":"405"}}"#,
            ),
        };
        let body = Bytes::from_static(text.as_bytes());
        let mut answer = Response::new(Answer { body: Kind::Refusal(Some(body)), _open: open });
        *answer.status_mut() = status;
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self == Self::Connect {
            headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
        }
        answer
    }
}

/// The answer to come.
#[pin_project(project = AdmittedPart)]
#[derive(Debug)]
pub(super) enum Admitted<F> {
    Called {
        #[pin]
        call: F,
        open: Option<Open>,
        switch: Option<(OnUpgrade, Arc<State>)>,
    },
    Refused {
        refusal: Refusal,
        open: Option<Open>,
    },
}

impl<F, B> Future for Admitted<F>
where
    F: Future<Output = Result<Response<B>, Infallible>>,
{
    type Output = Result<Response<Answer<B>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        const ONCE: &str = "a future is not polled after it was ready";
        Poll::Ready(Ok(match self.project() {
            AdmittedPart::Called { call, open, switch } => {
                let Ok(mut answer) = ready!(call.poll(cx));
                if let Some((upgrade, state)) = switch.take() {
                    state.switch.note(upgrade, answer.extensions_mut());
                }
                let open = open.take().expect(ONCE);
                answer.map(|body| Answer { body: Kind::Service(body), _open: open })
            }
            AdmittedPart::Refused { refusal, open } => refusal.answer(open.take().expect(ONCE)),
        }))
    }
}

/// The body of an answer; its call is open as long as it lives.
#[pin_project]
#[derive(Debug)]
pub(super) struct Answer<B> {
    #[pin]
    body: Kind<B>,
    _open: Open,
}

#[pin_project(project = KindPart)]
#[derive(Debug)]
enum Kind<B> {
    Service(#[pin] B),
    Refusal(Option<Bytes>),
}

impl<B: Body<Data = Bytes>> Body for Answer<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().body.project() {
            KindPart::Service(body) => body.poll_frame(cx),
            KindPart::Refusal(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Kind::Service(body) => body.is_end_stream(),
            Kind::Refusal(text) => text.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Kind::Service(body) => body.size_hint(),
            Kind::Refusal(text) => {
                SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64))
            }
        }
    }
}
