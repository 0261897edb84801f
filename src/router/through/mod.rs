//! Calls whose body goes straight through: uploads, objects of an account, providers' own paths,
//! and paths of the config.
mod accounts;
mod endpoint;
mod overheard;
mod query;
mod raw;
mod resource;
mod upload;

pub(super) use self::accounts::Accounts;
pub use self::endpoint::Endpoint;

use super::answer::Answer;
use super::error::RouteError;
use super::{Router, Shared, realtime};
use crate::providers::{Operation, Passing};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use http::{Request, Response};
use http_body::Body as _;
use std::future::ready;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_service::Service;

/// Sends calls on while their body still comes. Made by [`Router::through`].
#[derive(Clone, Debug)]
pub struct Through(Router);

impl Through {
    pub(super) const fn new(router: Router) -> Self {
        Self(router)
    }

    fn shared(&self) -> &Shared {
        &self.0.0
    }
}

impl Service<Request<Passing>> for Through {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Answer;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request<Passing>) -> Self::Future {
        let (parts, passing) = req.into_parts();
        if parts.extensions.get() == Some(&Operation::Realtime) {
            return realtime::answer(&self.0, parts, !passing.body.is_end_stream());
        }
        let fault = passing.fault.clone();
        let endpoint: Option<&Arc<Endpoint>> = parts.extensions.get();
        let sent = match (parts.extensions.get(), endpoint) {
            (_, Some(endpoint)) => endpoint.clone().call(self.shared(), parts, passing.body),
            (Some(Operation::Upload(_)), _) => upload::call(self.shared(), parts, passing),
            (Some(Operation::Resource(asked)), _) => {
                let asked = asked.clone();
                resource::call(self.shared(), &asked, parts, passing)
            }
            (Some(Operation::Raw(asked)), _) => {
                let asked = asked.clone();
                raw::call(self.shared(), &asked, parts, passing.body)
            }
            (operation, _) => {
                let route = operation.map_or("", Operation::route);
                Err(RouteError::NotSpoken { route, model: "".into() }.into())
            }
        };
        match sent {
            // What broke the body is the better word for why the upstream failed.
            Ok(answer) => {
                Box::pin(async move { answer.await.map_err(|error| fault.take().unwrap_or(error)) })
            }
            Err(error) => Box::pin(ready(Err(error))),
        }
    }
}
