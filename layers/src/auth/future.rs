//! The response future of [`Auth`](super::Auth).
use super::{AuthError, KeyNotNeeded, Keys};
use crate::BoxError;
use crate::facts::Principal;
use http::{Request, Uri};
use pin_project::pin_project;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use tower_service::Service;

/// Waits for the policy's word where it has to be waited for, then for the inner service.
#[pin_project]
#[derive(Debug)]
pub struct AuthFuture<K: Keys, S: Service<Request<B>>, B>(#[pin] State<K::Future, S, S::Future, B>);

#[pin_project(project = StateProj)]
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a request waits in the place of its call")]
enum State<F, S, C, B> {
    Checking(#[pin] F, Option<(S, Asked<B>)>),
    Calling(#[pin] C),
    Refused(Option<AuthError>),
}

/// A request whose key is not proved yet.
#[derive(Debug)]
pub(super) struct Asked<B> {
    pub(super) request: Request<B>,
    /// Where the request goes if its key is known.
    pub(super) clean: Option<Box<Uri>>,
}

impl<K: Keys, S: Service<Request<B>>, B> AuthFuture<K, S, B> {
    pub(super) const fn waiting(check: K::Future, service: S, asked: Asked<B>) -> Self {
        Self(State::Checking(check, Some((service, asked))))
    }

    /// Goes on where nobody had to wait: the request is never held.
    pub(super) fn told(
        proved: Result<Principal, AuthError>,
        service: &mut S,
        asked: Asked<B>,
    ) -> Self
    where
        S: Clone,
    {
        Self(State::call(proved, service, asked).unwrap_or_else(|error| {
            // Whatever the ready service has reserved goes back.
            *service = service.clone();
            State::Refused(Some(error))
        }))
    }
}

impl<F, S: Service<Request<B>>, B> State<F, S, S::Future, B> {
    fn call(
        proved: Result<Principal, AuthError>,
        service: &mut S,
        Asked { mut request, clean }: Asked<B>,
    ) -> Result<Self, AuthError> {
        match proved {
            Ok(principal) => {
                request.extensions_mut().insert(principal);
                if let Some(clean) = clean {
                    *request.uri_mut() = *clean;
                }
            }
            Err(_) if request.extensions().get::<KeyNotNeeded>().is_some() => {}
            Err(error) => return Err(error),
        }
        Ok(Self::Calling(service.call(request)))
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
        let mut state = self.project().0;
        loop {
            match state.as_mut().project() {
                StateProj::Checking(check, waiting) => {
                    let proved = ready!(check.poll(cx));
                    let (mut service, asked) = waiting.take().expect("a key is proved once");
                    let next = State::call(proved, &mut service, asked)?;
                    state.set(next);
                }
                StateProj::Calling(call) => return call.poll(cx).map_err(Into::into),
                StateProj::Refused(error) => {
                    return Poll::Ready(Err(error.take().expect("a call is refused once").into()));
                }
            }
        }
    }
}
