//! Puts what was said before into requests that go on from a response that is kept here.
use super::as_past;
use crate::conversations::{Continued, Conversations};
use crate::edge::IngestError;
use crate::identity::{Denied, Tenant};
use crate::providers::openai::responses::Continuing;
use crate::providers::{Contents, Operation, Prompt};
use crate::router::Router;
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::facts::Estimate;
use bytes::Bytes;
use futures_util::future::Either;
use http::{Request, Response};
use memchr::memmem;
use std::pin::Pin;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Wraps services in [`Resume`].
#[derive(Clone, Debug)]
pub struct ResumeLayer {
    conversations: Conversations,
    router: Router,
}

impl ResumeLayer {
    /// Goes on from what is kept in `conversations`. What a longer prompt may take, `router` knows.
    #[must_use]
    pub const fn new(conversations: Conversations, router: Router) -> Self {
        Self { conversations, router }
    }
}

impl<S> Layer<S> for ResumeLayer {
    type Service = Resume<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Resume { inner, layer: self.clone() }
    }
}

/// Middleware that puts earlier items into requests. Made by [`ResumeLayer`].
#[derive(Clone, Debug)]
pub struct Resume<S> {
    inner: S,
    layer: ResumeLayer,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

impl<S> Service<Request<Prompt>> for Resume<S>
where
    S: Service<Request<Prompt>, Response = Response<Body>, Error = BoxError>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Either<S::Future, Answer>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, req: Request<Prompt>) -> Self::Future {
        if !may_name(&req) {
            return Either::Left(self.inner.call(req));
        }
        let unready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, unready);
        let layer = self.layer.clone();
        Either::Right(Box::pin(async move {
            let req = layer.resumed(req).await?;
            inner.call(req).await
        }))
    }
}

/// Whether a request may name something that is kept. Most do not, and are not looked at again.
fn may_name(req: &Request<Prompt>) -> bool {
    if req.extensions().get() != Some(&Operation::Responses) {
        return false;
    }
    let text = req.body().text.whole();
    ["previous_response_id", "item_reference"]
        .iter()
        .any(|word| memmem::find(&text, word.as_bytes()).is_some())
}

impl ResumeLayer {
    /// The request with what was said before; as it is, if nothing that it names is kept here.
    async fn resumed(&self, mut req: Request<Prompt>) -> Result<Request<Prompt>, BoxError> {
        let whole = req.body().text.whole();
        let asked = Continuing::read(&whole)?;
        let previous = asked.previous();
        // What was kept, and the body that is made of it.
        let held = req.body().held.clone();
        let fits = |bytes: usize| held.hold_more(2 * bytes);
        let past = match &previous {
            Some(id) => self.conversations.past(id, fits).await?,
            None => None,
        };
        let referred = asked.referred();
        let referred: Vec<_> = referred.iter().map(String::as_str).collect();
        let referred = self.conversations.find(&referred).await?;
        // Of the response before, that was asked where the owners of objects are.
        if let Some(tenant) = req.extensions().get().map(Tenant::of)
            && let Some(id) = self.conversations.foreign(&referred, &tenant).await?
        {
            return Err(Denied::Object(id.into()).into());
        }
        if past.is_none() && referred.is_empty() {
            return Ok(req);
        }
        let previous = previous.filter(|_| past.is_some()).map(|id| id.as_ref().into());
        let past = past.unwrap_or_default();
        let more = referred.iter().map(|turn| turn.input.len() + turn.response.len());
        if !fits(more.sum::<usize>() + whole.len()) {
            return Err(IngestError::NoMemory.into());
        }
        let responses: Vec<_> = referred.iter().map(|turn| turn.response.as_str()).collect();
        let input = asked.input(&responses);
        let past: Vec<_> = past.iter().map(as_past).collect();
        let body = asked.body(&past, &input).into();
        self.replace(&mut req, body);
        req.extensions_mut().insert(Continued { previous, input: input.into() });
        Ok(req)
    }

    /// Puts another body in the place of the client's.
    fn replace(&self, req: &mut Request<Prompt>, body: Bytes) {
        let old = req.body();
        let Contents { text, layout, size, .. } = Contents::of(body.into());
        let contents = Contents { text, layout, size, ..(**old).clone() };
        let mut prompt = Prompt::new(contents, old.model.clone());
        prompt.forced.clone_from(&old.forced);
        // The first one knew only what is new.
        if req.extensions().get::<Estimate>().is_some() {
            let model = prompt.model.as_deref();
            if let Some(estimate) = self.router.estimate(&Operation::Responses, model, size) {
                req.extensions_mut().insert(estimate);
            }
        }
        *req.body_mut() = prompt;
    }
}
