//! How a stream that breaks ends for the client, and what is learned from one that does not.
use super::Endpoint;
use crate::end::End;
use crate::facts::UsageCell;
use crate::wire::body::{Ending, Failure, Watch};
use crate::wire::estimate::Expected;
use crate::wire::tap::Tap;
use bytes::Bytes;

/// Renders error events in the words of an endpoint.
#[derive(Debug)]
pub(super) struct ErrorEvent(pub(super) Option<Endpoint>);

impl Ending for ErrorEvent {
    fn error_event(&self, cause: &Failure) -> Bytes {
        // Its own words, in which nothing needs an escape.
        let message = match cause {
            Failure::Broke(_) => "the upstream broke off the stream",
            _ => "the upstream ended the stream early",
        };
        let event = match self.0 {
            Some(Endpoint::Messages) => format!(
                "event: error\ndata: {{\"type\":\"error\",\"error\":{{\"type\":\"api_error\",\
                 \"message\":\"{message}\"}}}}\n\n"
            ),
            Some(Endpoint::Responses) => format!(
                "event: error\ndata: {{\"type\":\"error\",\"code\":\"server_error\",\
                 \"message\":\"{message}\",\"param\":null}}\n\n"
            ),
            _ => format!(
                "data: {{\"error\":{{\"message\":\"{message}\",\"type\":\"server_error\",\
                 \"param\":null,\"code\":\"500\"}}}}\n\n"
            ),
        };
        event.into()
    }
}

/// Teaches a group what its calls take.
#[derive(Debug)]
pub(super) struct Lesson {
    pub(super) expected: Option<Expected>,
    pub(super) cell: UsageCell,
}

impl Watch for Lesson {
    fn end(&mut self, end: End, _: Option<&Failure>, _: &Tap) {
        let Some(expected) = &self.expected else { return };
        let told = self.cell.usage().filter(|_| !self.cell.is_estimated());
        if let Some(usage) = told.filter(|_| end == End::Complete) {
            expected.learn(&usage);
        }
    }
}
