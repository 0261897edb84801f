//! The response future of [`Accessing`](super::Accessing).
use super::AccessError;
use crate::BoxError;
use pin_project::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The refusal, or the inner service's answer.
#[pin_project]
#[derive(Debug)]
pub struct AccessFuture<F>(#[pin] State<F>);

#[pin_project(project = StateProj)]
#[derive(Debug)]
enum State<F> {
    Refused(Option<AccessError>),
    Calling(#[pin] F),
}

impl<F> AccessFuture<F> {
    pub(super) const fn refused(error: AccessError) -> Self {
        Self(State::Refused(Some(error)))
    }

    pub(super) const fn calling(call: F) -> Self {
        Self(State::Calling(call))
    }
}

impl<F, R, E> Future for AccessFuture<F>
where
    F: Future<Output = Result<R, E>>,
    E: Into<BoxError>,
{
    type Output = Result<R, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().0.project() {
            StateProj::Calling(call) => call.poll(cx).map_err(Into::into),
            StateProj::Refused(error) => {
                let error = error.take().expect("a future is not polled after its end");
                Poll::Ready(Err(error.into()))
            }
        }
    }
}
