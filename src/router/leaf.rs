//! Where a deployment's calls end: at an upstream, or at the built-in model `echo`.
use crate::forward::{ForwardError, Upstream, UpstreamBody};
use crate::providers::{Operation, Prompt, echo};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Collected};
use pin_project::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The innermost service of a deployment.
#[derive(Clone, Debug)]
pub(super) enum Leaf {
    /// An upstream, and the credential that is sent there and nowhere else.
    Upstream { upstream: Upstream, credential: Option<(HeaderName, HeaderValue)> },
    /// The model that says the prompt back.
    Echo,
}

impl Leaf {
    /// Sends `req`, which was made from `prompt`.
    pub(super) async fn send(
        &self,
        mut req: Request<Body>,
        operation: &Operation,
        prompt: &Prompt,
    ) -> Result<Response<LeafBody>, ForwardError> {
        match self {
            Self::Upstream { upstream, credential } => {
                if let Some((name, value)) = credential {
                    req.headers_mut().insert(name, value.clone());
                }
                Ok(upstream.send(req).await?.map(LeafBody::Upstream))
            }
            Self::Echo => {
                let sent = req.into_body().collect().await;
                let bytes = sent.map(Collected::to_bytes).unwrap_or_default();
                let prompt = Prompt { bytes, ..prompt.clone() };
                Ok(echo::answer(operation, &prompt).map(LeafBody::Echo))
            }
        }
    }
}

/// The body of a leaf's answer.
#[pin_project(project = LeafBodyProj)]
#[derive(Debug)]
pub(super) enum LeafBody {
    Upstream(#[pin] UpstreamBody),
    Echo(#[pin] Body),
}

impl http_body::Body for LeafBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.project() {
            LeafBodyProj::Upstream(body) => body.poll_frame(cx).map_err(Into::into),
            LeafBodyProj::Echo(body) => body.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Upstream(body) => body.is_end_stream(),
            Self::Echo(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Upstream(body) => body.size_hint(),
            Self::Echo(body) => body.size_hint(),
        }
    }
}
