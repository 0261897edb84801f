//! Shows and forgets the responses that are kept here.
use super::as_past;
use crate::conversations::{Conversations, Turn};
use crate::edge::IngestError;
use crate::providers::openai::responses::input_items;
use crate::providers::{Operation, Problem};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::query::{parameters, percent_decoded};
use futures_util::future::Either;
use http::{HeaderValue, Method, Request, Response, header};
use serde_json::{Value, json};
use std::pin::Pin;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Wraps services in [`Recall`].
#[derive(Clone, Debug)]
pub struct RecallLayer(Conversations);

impl RecallLayer {
    /// Shows what is kept in `conversations`.
    #[must_use]
    pub const fn new(conversations: Conversations) -> Self {
        Self(conversations)
    }
}

impl<S> Layer<S> for RecallLayer {
    type Service = Recall<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Recall { inner, conversations: self.0.clone() }
    }
}

/// Middleware that answers what is asked of kept responses. Made by [`RecallLayer`].
#[derive(Clone, Debug)]
pub struct Recall<S> {
    inner: S,
    conversations: Conversations,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

impl<S, B> Service<Request<B>> for Recall<S>
where
    S: Service<Request<B>, Response = Response<Body>, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Either<S::Future, Answer>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        let Some(wish) = Wish::of(&req) else { return Either::Left(self.inner.call(req)) };
        let unready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, unready);
        let conversations = self.conversations.clone();
        Either::Right(Box::pin(async move {
            let kept = conversations.find(&[&wish.id]).await?.pop();
            match kept {
                Some(turn) => wish.answer(&conversations, turn).await,
                // It is a provider's.
                None => inner.call(req).await,
            }
        }))
    }
}

/// What is wanted of one response.
#[derive(Debug)]
struct Wish {
    id: String,
    /// What stands behind its id in the path.
    part: String,
    method: Method,
    query: String,
}

impl Wish {
    fn of<B>(req: &Request<B>) -> Option<Self> {
        let Some(Operation::Resource(asked)) = req.extensions().get() else { return None };
        let path = asked.path.strip_prefix("/responses/")?.trim_end_matches('/');
        let (id, part) = path.split_once('/').unwrap_or((path, ""));
        Some(Self {
            id: percent_decoded(id)?,
            part: part.to_owned(),
            method: req.method().clone(),
            query: req.uri().query().unwrap_or_default().to_owned(),
        })
    }

    async fn answer(
        self,
        conversations: &Conversations,
        turn: Turn,
    ) -> Result<Response<Body>, BoxError> {
        match (self.method.as_str(), self.part.as_str()) {
            ("GET", "") if self.parameter("stream").as_deref() == Some("true") => {
                let told = "This response was not made in the background: its stream is over.";
                Err(bad(told, "stream"))
            }
            ("GET", "") => Ok(json_answer(turn.response)),
            ("DELETE", "") => {
                conversations.forget(&self.id).await?;
                let told = json!({"id": self.id, "object": "response", "deleted": true});
                Ok(json_answer(told.to_string()))
            }
            ("GET", "input_items") => {
                let past = conversations.past(&self.id, |_| true).await?.unwrap_or_default();
                let past: Vec<_> = past.iter().map(as_past).collect();
                Ok(json_answer(self.page(input_items(&past))?.to_string()))
            }
            ("POST", "cancel") => {
                Err(bad("Only responses made in the background can be cancelled.", "response_id"))
            }
            _ => Err(bad("Nothing of this kind can be done with a response.", "response_id")),
        }
    }

    /// The part of a list that the query asks for.
    fn page(&self, mut items: Vec<Value>) -> Result<Value, BoxError> {
        let limit = match self.parameter("limit").map(|limit| limit.parse()) {
            None => 20,
            Some(Ok(limit @ 1..=100)) => limit,
            Some(_) => return Err(bad("`limit` is a number from 1 to 100.", "limit")),
        };
        match self.parameter("order").as_deref() {
            Some("asc") => {}
            None | Some("desc") => items.reverse(),
            Some(_) => return Err(bad("`order` is `asc` or `desc`.", "order")),
        }
        if let Some(after) = self.parameter("after") {
            let Some(at) = items.iter().position(|item| item["id"] == after.as_str()) else {
                return Err(bad("`after` is the id of none of these items.", "after"));
            };
            items.drain(..=at);
        }
        let has_more = items.len() > limit;
        items.truncate(limit);
        let id = |item: Option<&Value>| item.map_or(Value::Null, |item| item["id"].clone());
        let (first, last) = (id(items.first()), id(items.last()));
        Ok(json!({
            "object": "list",
            "data": items,
            "first_id": first,
            "last_id": last,
            "has_more": has_more,
        }))
    }

    fn parameter(&self, name: &str) -> Option<String> {
        let found = parameters(&self.query).find(|parameter| parameter.name == name)?;
        percent_decoded(found.value)
    }
}

fn bad(message: &'static str, param: &'static str) -> BoxError {
    let problem = Problem::bad_request(message).param(param);
    IngestError::Refused(Box::new(problem)).into()
}

fn json_answer(body: String) -> Response<Body> {
    let mut rsp = Response::new(Body::Full(body.into()));
    let json = HeaderValue::from_static("application/json");
    rsp.headers_mut().insert(header::CONTENT_TYPE, json);
    rsp
}
