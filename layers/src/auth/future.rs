//! The response future of [`Auth`](super::Auth).
use super::{KeyNotNeeded, Keys};
use crate::BoxError;
use http::{Request, Uri};
use pin_project::pin_project;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use tower_service::Service;

/// Waits for the policy's word, then for the inner service.
#[pin_project]
#[derive(Debug)]
pub struct AuthFuture<K: Keys, S: Service<Request<B>>, B> {
    #[pin]
    state: State<K::Future, S::Future, B>,
    service: S,
    /// Where the request goes if its key is known.
    clean: Option<Box<Uri>>,
}

#[pin_project(project = StateProj)]
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a request waits in the place of its call")]
enum State<F, C, B> {
    Checking(#[pin] F, Option<Request<B>>),
    Calling(#[pin] C),
}

impl<K: Keys, S: Service<Request<B>>, B> AuthFuture<K, S, B> {
    pub(super) const fn new(
        check: K::Future,
        service: S,
        request: Request<B>,
        clean: Option<Box<Uri>>,
    ) -> Self {
        Self { state: State::Checking(check, Some(request)), service, clean }
    }
}

impl<K, S, B> Future for AuthFuture<K, S, B>
where
    K: Keys,
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
{
    type Output = Result<S::Response, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::Checking(check, request) => {
                    let proved = ready!(check.poll(cx));
                    let mut req = request.take().expect("a key is proved once");
                    match proved {
                        Ok(principal) => {
                            req.extensions_mut().insert(principal);
                            if let Some(clean) = this.clean.take() {
                                *req.uri_mut() = *clean;
                            }
                        }
                        Err(_) if req.extensions().get::<KeyNotNeeded>().is_some() => {}
                        Err(error) => return Poll::Ready(Err(error.into())),
                    }
                    this.state.set(State::Calling(this.service.call(req)));
                }
                StateProj::Calling(call) => return call.poll(cx).map_err(Into::into),
            }
        }
    }
}
