//! What the proxy tells about itself: metrics, and one log line per call.
mod book;
mod budgets;
mod decimal;
mod events;
mod families;
mod family;
mod labels;
mod line;
mod live;
mod logs;
mod metrics;
mod observed;
mod request_id;
mod series;
#[cfg(test)]
mod tests;
mod totals;
mod trail;
mod utc;
mod words;

pub use self::book::{Book, Outcome, Told};
pub use self::budgets::{budgets, provider_budgets};
pub use self::decimal::Decimal;
pub use self::events::{Attempted, Failure, Hit};
pub use self::line::{millis, now};
pub use self::live::Live;
pub use self::logs::{LogWriter, start_logging, start_logging_beside};
pub use self::metrics::{Metrics, UpstreamConnections};
pub use self::observed::Observed;
pub use self::request_id::RequestId;
pub use self::series::DeploymentLabels;
pub use self::totals::{ModelTotals, Totals};
pub use self::trail::{Served, Trail};
pub use self::utc::utc;
pub use self::words::Words;

use crate::config::Telemetry as Settings;
use bartizan_layers::end::End;
use http::HeaderValue;
use std::sync::Arc;
use tokio::sync::Notify;

/// Takes the record of each call: counts it, and writes its line. Clones are one: a call holds
/// one until its answer has ended.
#[derive(Clone, Debug)]
pub struct Telemetry(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    metrics: Arc<Metrics>,
    lines: Option<LogWriter>,
    json: bool,
    gone: Option<Arc<Notify>>,
    book: Option<Arc<dyn Book>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(gone) = &self.gone {
            gone.notify_one();
        }
    }
}

impl Telemetry {
    /// Counts into `metrics`, and writes lines to `writer` where `settings` want them.
    #[must_use]
    pub fn new(settings: &Settings, metrics: Arc<Metrics>, writer: LogWriter) -> Self {
        let lines = (settings.level >= tracing::Level::INFO).then_some(writer);
        Self(Arc::new(Shared {
            metrics,
            lines,
            json: logs::is_json(settings),
            gone: None,
            book: None,
        }))
    }

    /// Notifies `gone` when the last clone has been dropped, and with it the last call has ended
    /// that it was given to. To be said before the first clone is made.
    #[must_use]
    pub fn until_gone(mut self, gone: Arc<Notify>) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.0) {
            shared.gone = Some(gone);
        }
        self
    }

    /// Books each call in `book`, where one is kept. To be said before the first clone is made.
    #[must_use]
    pub fn booking(mut self, book: Option<Arc<dyn Book>>) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.0) {
            shared.book = book;
        }
        self
    }

    /// A call has begun, which leaves this trail.
    pub fn begin(&self, trail: &Trail) {
        self.0.metrics.begin();
        if let Some(book) = &self.0.book {
            trail.set_number(book.reserve());
        }
    }

    /// What the receipt of a call is found by, where it will be booked.
    #[must_use]
    pub fn receipt(&self, trail: &Trail) -> Option<HeaderValue> {
        self.0.book.as_ref().map(|book| book.receipt(trail.number()))
    }

    /// A call has ended. Called once for each call, possibly from `Drop`.
    pub fn end(&self, trail: &Trail, end: End) {
        let mut outcome = trail.outcome(end);
        self.0.metrics.resolve(&mut outcome);
        self.0.metrics.end(trail, &outcome);
        if let Some(book) = &self.0.book {
            book.book(trail, &outcome);
        }
        if let Some(lines) = &self.0.lines {
            lines.write(|buffer| line::write(buffer, self.0.json, trail, &outcome));
        }
    }
}
