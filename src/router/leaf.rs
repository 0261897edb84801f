//! Where a deployment's calls end: at an upstream, or at the built-in model `echo`.
use super::failed::UpstreamCause;
use crate::config::{self, Secret};
use crate::credentials::{Credential, Credentials};
use crate::data::AuthScheme;
use crate::forward::{Deadlines, ResponseFuture, Upstream, UpstreamBody};
use crate::providers::echo::{self, Mock};
use crate::providers::translate::{Protocol, Translation, native};
use crate::providers::{
    Contents, Dialect, Elsewhere, Endpoint, Operation, Prompt, azure, endpoint, rerank_endpoints,
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
    Upstream { upstream: Upstream, credential: Option<Credential> },
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
            Self::Upstream { upstream, credential } => match credential {
                Some(credential) if !credential.put_on(&mut req) => {
                    proved(credential, upstream, req, deadlines)
                }
                _ => Sending::Upstream(upstream.send_within(req, deadlines)),
            },
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

/// Sends a request once there is something to prove it with.
fn proved(
    credential: &Credential,
    upstream: &Upstream,
    req: Request<Body>,
    deadlines: Deadlines,
) -> Sending {
    let (credential, upstream) = (credential.clone(), upstream.clone());
    Sending::Made(Box::pin(async move {
        let req = credential.prove(req).await?;
        Ok(upstream.send_within(req, deadlines).await?.map(LeafBody::Left))
    }))
}

/// The answer of a leaf, once its headers are there.
pub(super) enum Sending {
    Upstream(ResponseFuture),
    Echo(Pin<Box<dyn Future<Output = Response<Body>> + Send>>),
    /// With something done before or after it: media or a token fetched, words translated, images
    /// told.
    Made(Pin<Box<dyn Future<Output = Result<Response<LeafBody>, UpstreamCause>> + Send>>),
}

impl Future for Sending {
    type Output = Result<Response<LeafBody>, UpstreamCause>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Upstream(answer) => {
                let answered = Pin::new(answer).poll(cx);
                answered.map_ok(|rsp| rsp.map(LeafBody::Left)).map_err(Into::into)
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
    credentials: &Credentials,
    dialect: Dialect,
) -> Option<Leaf> {
    if let Some(mock) = &config.mock {
        let mock = Arc::new(Mock::new(mock, &config.model));
        return (dialect == Dialect::OpenAi).then_some(Leaf::Mock(mock));
    }
    let Some(base) = &config.api_base else {
        return (dialect == Dialect::OpenAi).then_some(Leaf::Echo);
    };
    leaf_at(&found(config, base, dialect)?, config, credentials)
}

/// Where it takes chats in its own dialect, if that is not OpenAI's.
pub(super) fn native_leaf(
    config: &config::Deployment,
    credentials: &Credentials,
) -> Option<(Protocol, Leaf)> {
    let base = config.api_base.as_ref().filter(|_| config.mock.is_none())?;
    let (protocol, found) = spoken(config, base);
    let other = protocol != Protocol::Chat;
    Some((protocol, leaf_at(&found, config, credentials)?)).filter(|_| other)
}

/// Where a provider that speaks all dialects takes Anthropic's, and Gemini's.
pub(super) fn polyglot(
    config: &config::Deployment,
    credentials: &Credentials,
) -> Option<Box<[Leaf; 2]>> {
    let leaf = |dialect| leaf(config, credentials, dialect);
    let speaks = config.provider.polyglot;
    speaks.then(|| Some(Box::new([leaf(Dialect::Anthropic)?, leaf(Dialect::Gemini)?])))?
}

/// Where it ranks documents, for the current form of the request and the first.
pub(super) fn reranking(
    config: &config::Deployment,
    credentials: &Credentials,
) -> Option<Box<[Leaf; 2]>> {
    let [current, first] = rerank_endpoints(config.provider, config.api_base.as_ref()?)?;
    let leaf = |found| leaf_at(&found, config, credentials);
    Some(Box::new([leaf(current)?, leaf(first)?]))
}

/// Where a deployment at `base` answers calls in `dialect`.
fn found(config: &config::Deployment, base: &Uri, dialect: Dialect) -> Option<Endpoint> {
    match &config.azure {
        Some(at) => azure::endpoint(at, base, dialect),
        None => endpoint(config.provider, base, dialect),
    }
}

/// Where it takes chats in its own dialect, and which that is.
fn spoken(config: &config::Deployment, base: &Uri) -> (Protocol, Endpoint) {
    let messages = || azure::endpoint(config.azure.as_ref()?, base, Dialect::Anthropic);
    match messages() {
        Some(found) => (Protocol::Messages, found),
        None => native(config.provider, base),
    }
}

fn leaf_at(
    found: &Endpoint,
    config: &config::Deployment,
    credentials: &Credentials,
) -> Option<Leaf> {
    let url = found.base.parse::<Uri>().ok()?;
    let upstream = credentials.forwarder().upstream_over(&url, config.tls.as_ref());
    Some(Leaf::Upstream { upstream, credential: own(config, found.auth, credentials) })
}

/// What proves the calls of a deployment: its login, or else its key.
pub(super) fn own(
    config: &config::Deployment,
    auth: AuthScheme,
    credentials: &Credentials,
) -> Option<Credential> {
    let key = || key_in(auth, config.api_key.as_ref()?);
    config.login.as_ref().map(|login| credentials.of(login)).or_else(key)
}

/// The leaf of one call that brings its own upstream or credential, made for it alone.
pub(super) fn leaf_elsewhere(
    config: &config::Deployment,
    credentials: &Credentials,
    (dialect, translation): (Dialect, Option<Translation>),
    elsewhere: &Elsewhere,
) -> Option<Leaf> {
    let base = elsewhere.base.as_ref().or(config.api_base.as_ref())?;
    let found = match translation {
        Some(Translation { provider: Protocol::Embeddings, .. }) => {
            found(config, base, Dialect::OpenAi)?
        }
        Some(_) => spoken(config, base).1,
        None => found(config, base, dialect)?,
    };
    let url = found.base.parse::<Uri>().ok()?;
    let forwarder = credentials.forwarder();
    let upstream = match &elsewhere.base {
        Some(_) => forwarder.public(&url),
        None => forwarder.upstream_over(&url, config.tls.as_ref()),
    };
    let key = elsewhere.key.as_ref();
    Some(Leaf::Upstream { upstream, credential: key.and_then(|key| key_in(found.auth, key)) })
}

/// The header that carries the provider's key. A key that cannot stand in a header is left out;
/// the config's check has named it.
fn key_in(scheme: AuthScheme, key: &Secret<String>) -> Option<Credential> {
    let key = key.expose();
    let (name, value) = match scheme {
        AuthScheme::Bearer => (header::AUTHORIZATION, format!("Bearer {key}")),
        AuthScheme::XApiKey => (HeaderName::from_static("x-api-key"), key.clone()),
        AuthScheme::XGoogApiKey => (HeaderName::from_static("x-goog-api-key"), key.clone()),
        AuthScheme::ApiKey => (HeaderName::from_static("api-key"), key.clone()),
    };
    let mut value = HeaderValue::try_from(value).ok()?;
    value.set_sensitive(true);
    Some(Credential::Header(name, value))
}
