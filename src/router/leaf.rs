//! Where a deployment's calls end: at an upstream, or at the built-in model `echo`.
use crate::config::{self, Secret};
use crate::data::AuthScheme;
use crate::forward::{Deadlines, ForwardError, Forwarder, ResponseFuture, Upstream, UpstreamBody};
use crate::providers::echo::{self, Mock};
use crate::providers::translate::{Protocol, Translation, native};
use crate::providers::{
    Contents, Dialect, Elsewhere, Endpoint, Operation, Prompt, endpoint, rerank_endpoints,
};
use bartizan_layers::body::Body;
use http::{HeaderName, HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Collected, Either};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The innermost service of a deployment.
#[derive(Clone, Debug)]
pub(super) enum Leaf {
    /// An upstream, and the credential that is sent there and nowhere else.
    Upstream { upstream: Upstream, credential: Option<(HeaderName, HeaderValue)> },
    /// The model that says the prompt back.
    Echo,
    /// A fixed answer.
    Mock(Arc<Mock>),
}

impl Leaf {
    /// Sends `req`, which was made from `prompt`.
    pub(super) fn send(
        &self,
        mut req: Request<Body>,
        deadlines: Deadlines,
        operation: &Operation,
        prompt: &Prompt,
    ) -> Sending {
        match self {
            Self::Upstream { upstream, credential } => {
                if let Some((name, value)) = credential {
                    req.headers_mut().insert(name, value.clone());
                }
                Sending::Upstream(upstream.send_within(req, deadlines))
            }
            Self::Echo => Self::own(req, operation, prompt, echo::answer),
            Self::Mock(mock) => {
                let mock = mock.clone();
                Self::own(req, operation, prompt, move |operation, prompt| {
                    mock.answer(operation, prompt)
                })
            }
        }
    }
}

impl Leaf {
    /// An answer of our own to the request that an upstream would get.
    fn own(
        req: Request<Body>,
        operation: &Operation,
        prompt: &Prompt,
        answer: impl FnOnce(&Operation, &Prompt) -> Response<Body> + Send + 'static,
    ) -> Sending {
        let (operation, prompt) = (operation.clone(), prompt.clone());
        Sending::Echo(Box::pin(async move {
            let sent = req.into_body().collect().await;
            let bytes = sent.map(Collected::to_bytes).unwrap_or_default();
            let contents = Contents { text: bytes.into(), ..Contents::clone(&prompt) };
            answer(&operation, &Prompt::new(contents, prompt.model))
        }))
    }
}

/// The answer of a leaf, once its headers are there.
pub(super) enum Sending {
    Upstream(ResponseFuture),
    Echo(Pin<Box<dyn Future<Output = Response<Body>> + Send>>),
    /// With something done before or after it: media fetched, words translated, images told.
    Made(Pin<Box<dyn Future<Output = Result<Response<LeafBody>, ForwardError>> + Send>>),
}

impl Future for Sending {
    type Output = Result<Response<LeafBody>, ForwardError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Upstream(answer) => {
                Pin::new(answer).poll(cx).map_ok(|rsp| rsp.map(LeafBody::Left))
            }
            Self::Echo(answer) => answer.as_mut().poll(cx).map(|rsp| Ok(rsp.map(LeafBody::Right))),
            Self::Made(answer) => answer.as_mut().poll(cx),
        }
    }
}

/// The body of a leaf's answer: an upstream's, or the built-in model's.
pub(super) type LeafBody = Either<UpstreamBody, Body>;

/// Where a deployment takes calls in `dialect`.
pub(super) fn leaf(
    config: &config::Deployment,
    forwarder: &Forwarder,
    dialect: Dialect,
) -> Option<Leaf> {
    if let Some(mock) = &config.mock {
        let mock = Arc::new(Mock::new(mock, &config.model));
        return (dialect == Dialect::OpenAi).then_some(Leaf::Mock(mock));
    }
    let Some(base) = &config.api_base else {
        return (dialect == Dialect::OpenAi).then_some(Leaf::Echo);
    };
    leaf_at(&endpoint(config.provider, base, dialect)?, config, forwarder)
}

/// Where it takes chats in its own dialect, if that is not OpenAI's.
pub(super) fn native_leaf(
    config: &config::Deployment,
    forwarder: &Forwarder,
) -> Option<(Protocol, Leaf)> {
    let base = config.api_base.as_ref().filter(|_| config.mock.is_none())?;
    let (protocol, found) = native(config.provider, base);
    let other = protocol != Protocol::Chat;
    Some((protocol, leaf_at(&found, config, forwarder)?)).filter(|_| other)
}

/// Where a provider that speaks all dialects takes Anthropic's, and Gemini's.
pub(super) fn polyglot(
    config: &config::Deployment,
    forwarder: &Forwarder,
) -> Option<Box<[Leaf; 2]>> {
    let leaf = |dialect| leaf(config, forwarder, dialect);
    let speaks = config.provider.polyglot;
    speaks.then(|| Some(Box::new([leaf(Dialect::Anthropic)?, leaf(Dialect::Gemini)?])))?
}

/// Where it ranks documents, for the current form of the request and the first.
pub(super) fn reranking(
    config: &config::Deployment,
    forwarder: &Forwarder,
) -> Option<Box<[Leaf; 2]>> {
    let [current, first] = rerank_endpoints(config.provider, config.api_base.as_ref()?)?;
    let leaf = |found| leaf_at(&found, config, forwarder);
    Some(Box::new([leaf(current)?, leaf(first)?]))
}

fn leaf_at(found: &Endpoint, config: &config::Deployment, forwarder: &Forwarder) -> Option<Leaf> {
    let url = found.base.parse::<Uri>().ok()?;
    let upstream = forwarder.upstream_over(&url, config.tls.as_ref());
    Some(leaf_over(upstream, found.auth, config.api_key.as_ref()))
}

fn leaf_over(upstream: Upstream, auth: AuthScheme, key: Option<&Secret<String>>) -> Leaf {
    let credential = key.and_then(|key| credential(auth, key.expose()));
    Leaf::Upstream { upstream, credential }
}

/// The leaf of one call that brings its own upstream or credential, made for it alone.
pub(super) fn leaf_elsewhere(
    config: &config::Deployment,
    forwarder: &Forwarder,
    (dialect, translation): (Dialect, Option<Translation>),
    elsewhere: &Elsewhere,
) -> Option<Leaf> {
    let base = elsewhere.base.as_ref().or(config.api_base.as_ref())?;
    let found = match translation {
        Some(_) => native(config.provider, base).1,
        None => endpoint(config.provider, base, dialect)?,
    };
    let url = found.base.parse::<Uri>().ok()?;
    let upstream = match &elsewhere.base {
        Some(_) => forwarder.public(&url),
        None => forwarder.upstream_over(&url, config.tls.as_ref()),
    };
    Some(leaf_over(upstream, found.auth, elsewhere.key.as_ref()))
}

/// The header that carries the provider's key. A key that cannot stand in a header is left out;
/// the config's check has named it.
pub(super) fn credential(scheme: AuthScheme, key: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = match scheme {
        AuthScheme::Bearer => (header::AUTHORIZATION, format!("Bearer {key}")),
        AuthScheme::XApiKey => (HeaderName::from_static("x-api-key"), key.to_owned()),
        AuthScheme::XGoogApiKey => (HeaderName::from_static("x-goog-api-key"), key.to_owned()),
        AuthScheme::ApiKey => (HeaderName::from_static("api-key"), key.to_owned()),
    };
    let mut value = HeaderValue::try_from(value).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}
