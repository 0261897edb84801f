//! What is noted while a stream flows, and how it is closed when it breaks off.
use crate::forward::ForwardError;
use crate::providers::{Class, Operation, Problem, openai};
use crate::telemetry::{Failure as Failed, Observed, Trail};
use bartizan_layers::cause::cause_ref;
use bartizan_layers::end::End;
use bartizan_layers::wire::body::{Ending, Failure, Watch};
use bartizan_layers::wire::cause::fault_of_event;
use bartizan_layers::wire::estimate::Expected;
use bartizan_layers::wire::tap::Tap;
use bytes::Bytes;
use http::StatusCode;
use tokio::time::Instant;

/// Notes the times of a stream's content, and how it ended.
#[derive(Debug)]
pub(super) struct StreamWatch {
    trail: Option<Trail>,
    observed: Observed,
    sent: Instant,
    last: Instant,
    expected: Option<Expected>,
}

impl StreamWatch {
    pub(super) fn new(trail: Option<Trail>, observed: &Observed, sent: Instant) -> Self {
        observed.opened();
        Self { trail, observed: observed.clone(), sent, last: sent, expected: None }
    }

    /// Learns from a whole answer what calls like this one take.
    pub(super) fn learning(self, expected: Option<Expected>) -> Self {
        Self { expected, ..self }
    }
}

impl Watch for StreamWatch {
    fn content(&mut self, new: u64, total: u64) {
        let now = Instant::now();
        if new == total {
            self.observed.first_content(now - self.sent);
            if let Some(trail) = &self.trail {
                trail.set_first_content(now);
            }
        } else {
            self.observed.gap(now - self.last);
        }
        self.last = now;
    }

    fn end(&mut self, end: End, failure: Option<&Failure>, tap: &Tap) {
        self.observed.closed();
        if let (End::Complete, Some(expected), Some(usage)) = (end, &self.expected, tap.usage()) {
            expected.learn(&usage);
        }
        if let (Some(trail), Some(failure)) = (&self.trail, failure) {
            let status = status(failure);
            trail.set_failure(Failed { status: status.as_u16(), class: Class::of(status).name() });
        }
    }
}

/// Renders the error event of a call, in the client's dialect.
#[derive(Debug)]
pub(super) struct StreamEnding {
    operation: Operation,
    provider: &'static str,
}

impl StreamEnding {
    pub(super) const fn new(operation: Operation, provider: &'static str) -> Self {
        Self { operation, provider }
    }
}

impl Ending for StreamEnding {
    fn error_event(&self, failure: &Failure) -> Bytes {
        let status = status(failure);
        let (class, provider) = (Class::of(status).name(), self.provider);
        let cause = std::error::Error::source(failure).map(ToString::to_string);
        let words = cause.unwrap_or_else(|| failure.to_string());
        let message = format!("litellm.{class}: {class}: {provider}Exception - {words}");
        let problem = Problem::new(status, message);
        match self.operation {
            Operation::Responses => openai::response_error_event(&problem),
            _ => self.operation.dialect().error_event(&problem),
        }
    }
}

/// The status that a stream would have had, had it failed before it began.
fn status(failure: &Failure) -> StatusCode {
    let timed_out = cause_ref::<ForwardError>(failure).is_some_and(ForwardError::is_timeout);
    match failure {
        _ if timed_out => StatusCode::REQUEST_TIMEOUT,
        Failure::InBand(error) => {
            let status = fault_of_event(error).status;
            let told = status.is_client_error() || status.is_server_error();
            if told { status } else { StatusCode::INTERNAL_SERVER_ERROR }
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
