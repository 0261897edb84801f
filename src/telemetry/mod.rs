//! What the proxy tells about itself: metrics, and one log line per call.
mod decimal;
mod families;
mod family;
mod line;
mod logs;
mod metrics;
mod series;
mod totals;
mod trail;

pub use self::decimal::Decimal;
pub use self::line::millis;
pub use self::logs::{LogWriter, start_logging, start_logging_beside};
pub use self::metrics::{Metrics, Observed, UpstreamConnections};
pub use self::series::DeploymentLabels;
pub use self::totals::Totals;
pub use self::trail::{Failure, RequestId, Served, Trail};

use crate::config::Telemetry as Settings;
use bartizan_layers::end::End;
use std::sync::Arc;

/// Takes the record of each call: counts it, and writes its line.
#[derive(Clone, Debug)]
pub struct Telemetry {
    metrics: Arc<Metrics>,
    lines: Option<LogWriter>,
    json: bool,
}

impl Telemetry {
    /// Counts into `metrics`, and writes lines to `writer` where `settings` want them.
    #[must_use]
    pub fn new(settings: &Settings, metrics: Arc<Metrics>, writer: LogWriter) -> Self {
        let lines = (settings.level >= tracing::Level::INFO).then_some(writer);
        Self { metrics, lines, json: logs::is_json(settings) }
    }

    /// The metrics, for `/metrics` and for those who observe more than calls.
    #[must_use]
    pub const fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// A call has begun.
    pub fn begin(&self) {
        self.metrics.begin();
    }

    /// A call has ended. Called once for each call, possibly from `Drop`.
    pub fn end(&self, trail: &Trail, end: End) {
        let outcome = trail.outcome(end);
        self.metrics.end(trail, &outcome);
        if let Some(lines) = &self.lines {
            lines.write(|buffer| line::write(buffer, self.json, trail, &outcome));
        }
    }
}
