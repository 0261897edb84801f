//! Where a deployment's calls end: at an upstream, or at the built-in model `echo`.
use super::images;
use crate::forward::{Deadlines, ForwardError, Forwarder, ResponseFuture, Upstream, UpstreamBody};
use crate::providers::{Operation, Prompt, echo};
use bartizan_layers::body::Body;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Collected, Either};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The innermost service of a deployment.
#[derive(Clone, Debug)]
pub(super) enum Leaf {
    /// An upstream, and the credential that is sent there and nowhere else.
    Upstream {
        upstream: Upstream,
        credential: Option<(HeaderName, HeaderValue)>,
        /// Fetches images for a provider that takes them in the request only.
        images: Option<Forwarder>,
    },
    /// The model that says the prompt back.
    Echo,
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
            Self::Upstream { upstream, credential, images } => {
                if let Some((name, value)) = credential {
                    req.headers_mut().insert(name, value.clone());
                }
                if let (Some(forwarder), Operation::ChatCompletions) = (images, operation) {
                    let (forwarder, upstream) = (forwarder.clone(), upstream.clone());
                    let held = Arc::clone(&prompt.held);
                    return Sending::Fetching(Box::pin(async move {
                        let req = images::inlined(&forwarder, req, &*held).await?;
                        upstream.send_within(req, deadlines).await
                    }));
                }
                Sending::Upstream(upstream.send_within(req, deadlines))
            }
            Self::Echo => {
                let (operation, prompt) = (operation.clone(), prompt.clone());
                Sending::Echo(Box::pin(async move {
                    let sent = req.into_body().collect().await;
                    let bytes = sent.map(Collected::to_bytes).unwrap_or_default();
                    echo::answer(&operation, &Prompt { text: bytes.into(), ..prompt })
                }))
            }
        }
    }
}

/// The answer of a leaf, once its headers are there.
pub(super) enum Sending {
    Upstream(ResponseFuture),
    Fetching(Pin<Box<dyn Future<Output = Result<Response<UpstreamBody>, ForwardError>> + Send>>),
    Echo(Pin<Box<dyn Future<Output = Response<Body>> + Send>>),
}

impl Future for Sending {
    type Output = Result<Response<LeafBody>, ForwardError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Upstream(answer) => {
                Pin::new(answer).poll(cx).map_ok(|rsp| rsp.map(LeafBody::Left))
            }
            Self::Fetching(answer) => {
                answer.as_mut().poll(cx).map_ok(|rsp| rsp.map(LeafBody::Left))
            }
            Self::Echo(answer) => answer.as_mut().poll(cx).map(|rsp| Ok(rsp.map(LeafBody::Right))),
        }
    }
}

/// The body of a leaf's answer: an upstream's, or the built-in model's.
pub(super) type LeafBody = Either<UpstreamBody, Body>;
