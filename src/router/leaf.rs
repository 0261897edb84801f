//! Where a deployment's calls end: at an upstream, or at the built-in model `echo`.
use crate::forward::{ForwardError, Upstream, UpstreamBody};
use crate::providers::{Operation, Prompt, echo};
use bartizan_layers::body::Body;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Collected, Either};

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
                Ok(upstream.send(req).await?.map(LeafBody::Left))
            }
            Self::Echo => {
                let sent = req.into_body().collect().await;
                let bytes = sent.map(Collected::to_bytes).unwrap_or_default();
                let prompt = Prompt { bytes, ..prompt.clone() };
                Ok(echo::answer(operation, &prompt).map(LeafBody::Right))
            }
        }
    }
}

/// The body of a leaf's answer: an upstream's, or the built-in model's.
pub(super) type LeafBody = Either<UpstreamBody, Body>;
