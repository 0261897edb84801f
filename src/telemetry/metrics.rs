//! Counts calls: finds the cells of calls that are alike, and counts in them.
use super::book::Outcome;
use super::events::Events;
use super::families::Families;
use super::family::unix_now;
use super::labels::{NONE, alike, class_of, of_call, of_deployment};
use super::live::Live;
use super::observed::Observed;
use super::series::{Alike, Cells, DeploymentLabels};
use super::totals::{ByModel, Totals};
use super::trail::Trail;
use crate::config::Compat;
use bartizan_layers::end::End;
use foldhash::fast::RandomState;
use http::StatusCode;
use prometheus::Gauge;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Values of the label `result`.
const SUCCESS: &str = "success";
const FAILURE: &str = "failure";

/// All metrics of a process.
#[derive(Debug)]
pub struct Metrics {
    families: Families,
    /// Looked up once per call, by addresses that no client chooses.
    cells: RwLock<HashMap<Alike, Arc<Cells>, RandomState>>,
    /// By their ids.
    deployments: RwLock<HashMap<Arc<str>, Arc<DeploymentLabels>, RandomState>>,
    by_model: Option<ByModel>,
    in_flight: Gauge,
    open_streams: Gauge,
    received: prometheus::Counter,
    sent: prometheus::Counter,
}

/// Connections to upstreams, as they stand at a scrape.
#[derive(Clone, Copy, Debug, Default)]
pub struct UpstreamConnections {
    /// Open, busy or not.
    pub open: usize,
    /// Of these: waiting for a call.
    pub idle: usize,
}

impl Metrics {
    /// No call yet.
    #[must_use]
    pub fn new(compat: Compat) -> Self {
        let families = Families::new(compat);
        let version = env!("CARGO_PKG_VERSION");
        families.build_info.get(|_| version).set(1.0);
        for result in [SUCCESS, FAILURE] {
            families.reloads.get(|_| result);
        }
        families.last_reload_successful.get(|_| NONE).set(1.0);
        families.last_reload_success.get(|_| NONE).set(unix_now());
        Self {
            cells: RwLock::default(),
            deployments: RwLock::default(),
            by_model: None,
            in_flight: families.in_flight.get(|_| NONE),
            open_streams: families.open_streams.get(|_| NONE),
            received: families.received.get(|_| NONE),
            sent: families.sent.get(|_| NONE),
            families,
        }
    }

    /// Keeps what each model comes to for [`Totals`] as well, by its own name where the config has
    /// a pattern. Whoever names models makes rows: for a proxy that one command has to itself.
    #[must_use]
    pub fn by_model(mut self) -> Self {
        self.by_model = Some(ByModel::default());
        self
    }

    /// Knows one more deployment, healthy.
    pub fn add_deployment(&self, deployment: &Arc<DeploymentLabels>) {
        self.deployment_state(deployment, 0.0);
        let mut all = self.deployments.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(deployment.model_id.clone(), deployment.clone());
    }

    /// Finds the deployment whose answer was kept, where it is one of ours.
    pub(super) fn resolve(&self, outcome: &mut Outcome<'_>) {
        let Some(hit) = &mut outcome.learned.hit else { return };
        let all = self.deployments.read().unwrap_or_else(PoisonError::into_inner);
        hit.deployment = hit.served_by.as_ref().and_then(|id| all.get(id)).cloned();
    }

    /// What is counted for the streams of `provider`.
    #[must_use]
    pub fn observed(&self, provider: &'static str) -> Observed {
        Observed {
            first_content: self.families.first_content.get(|_| provider),
            gap: self.families.gap.get(|_| provider),
            open_streams: self.open_streams.clone(),
        }
    }

    /// Notes how a deployment stands: 0 healthy, 1 being probed, 2 at rest.
    pub fn deployment_state(&self, deployment: &DeploymentLabels, state: f64) {
        self.families.deployment_state.get(|label| of_deployment(deployment, label)).set(state);
    }

    /// Counts that a deployment was rested, by the status that was one too many.
    pub fn cooled_down(&self, deployment: &DeploymentLabels, status: StatusCode) {
        let counter = self.families.cooled_down.get(|label| match label {
            "exception_status" => status.as_str(),
            label => of_deployment(deployment, label),
        });
        counter.inc();
    }

    /// Notes that a changed config was taken into use, or refused.
    pub fn config_reloaded(&self, success: bool) {
        let result = if success { SUCCESS } else { FAILURE };
        self.families.reloads.get(|_| result).inc();
        self.families.last_reload_successful.get(|_| NONE).set(f64::from(u8::from(success)));
        if success {
            self.families.last_reload_success.get(|_| NONE).set(unix_now());
        }
    }

    /// Ends the series of deployments and names that are not `live` any more. Calls to them that
    /// are still open begin new ones, until the next time.
    pub fn retain(&self, live: &Live) {
        self.families.retain(live);
        // Cells are found again by their labels; those of the past would pile up.
        self.cells.write().unwrap_or_else(PoisonError::into_inner).clear();
        let mut all = self.deployments.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, deployment| live.has(deployment));
    }

    /// All metrics in the Prometheus text format.
    #[must_use]
    pub fn encode(&self, connections: UpstreamConnections) -> String {
        for (state, count) in [("open", connections.open), ("idle", connections.idle)] {
            self.families.connections.get(|_| state).set(count as f64);
        }
        let mut out = String::new();
        self.families.write(&mut out);
        out
    }

    /// Everything that was counted, over all keys, models and deployments.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let all = &self.families;
        Totals {
            calls: all.proxy_total.sum() as u64,
            failed: all.proxy_failed.sum() as u64,
            input_tokens: all.input_tokens.sum() as u64,
            output_tokens: all.output_tokens.sum() as u64,
            dollars: all.spend.sum(),
            saved: all.saved.sum(),
            models: self.by_model.as_ref().map_or_else(Vec::new, ByModel::rows),
        }
    }

    /// Calls that have begun and not ended.
    #[must_use]
    pub fn open_calls(&self) -> usize {
        self.in_flight.get() as usize
    }

    /// Counts records of calls that are nowhere: there was no room for them.
    pub fn lost_records(&self, records: u64) {
        self.families.lost_records.get(|_| NONE).inc_by(records as f64);
    }

    /// Counts a message on a budget that has arrived.
    pub fn alert_sent(&self) {
        self.families.alerts.get(|_| "sent").inc();
    }

    /// Counts one that nobody took.
    pub fn alert_dropped(&self) {
        self.families.alerts.get(|_| "dropped").inc();
    }

    pub(super) fn begin(&self) {
        self.in_flight.inc();
    }

    pub(super) fn end(&self, trail: &Trail, outcome: &Outcome<'_>) {
        self.in_flight.dec();
        self.received.inc_by(trail.received() as f64);
        self.sent.inc_by(trail.written() as f64);
        let cells = self.cells_of(trail, outcome);
        cells.calls.inc();
        cells.duration.observe(outcome.took.as_secs_f64());
        cells.proxy_total.inc();
        if let Some(failed) = &cells.proxy_failed {
            failed.inc();
        }
        if let Some(cells) = &cells.cached {
            cells.count(outcome);
        }
        self.end_attempt(&cells, trail, outcome);
    }

    fn end_attempt(&self, cells: &Cells, trail: &Trail, outcome: &Outcome<'_>) {
        if let (Some(cells), Some(served)) = (&cells.served, outcome.learned.served.as_ref()) {
            cells.count(trail, outcome, served);
        }
        if let Some(by_model) = &self.by_model {
            by_model.count(outcome);
        }
        if let Some(events) = &outcome.learned.events {
            self.end_events(outcome, events);
        }
        self.end_others(outcome);
    }

    /// Counts the attempts before the one that was answered, and the deployments of a call that
    /// asked several.
    fn end_others(&self, outcome: &Outcome<'_>) {
        let others = outcome.learned.attempts.iter().chain(&outcome.learned.branches);
        others.for_each(|other| self.end_branch(other, outcome.end));
    }

    /// Counts what one of several deployments did for a call: it is no call of its own.
    #[cold]
    fn end_branch(&self, branch: &Trail, end: End) {
        let outcome = branch.outcome(end);
        let cells = self.cells_of(branch, &outcome);
        self.end_attempt(&cells, branch, &outcome);
    }

    #[cold]
    fn end_events(&self, outcome: &Outcome<'_>, events: &Events) {
        let all = &self.families;
        let requested = |label| of_call(outcome, label);
        if events.retries > 0 {
            all.retries.get(requested).inc_by(events.retries.into());
        }
        if let Some((scope, measure)) = events.refused {
            all.refusals.get(|label| if label == "scope" { scope } else { measure }).inc();
        }
        let Some(first) = events.fallbacks.first() else { return };
        let status = first.failure.status.to_string();
        let class = class_of(first.failure, first.provider);
        for (at, fallback) in events.fallbacks.iter().enumerate() {
            let value = |label| match label {
                "fallback_model" => &*fallback.group,
                "exception_status" => status.as_str(),
                "exception_class" => class.as_str(),
                label => of_call(outcome, label),
            };
            let is_last = at + 1 == events.fallbacks.len();
            match outcome.status {
                ..400 if is_last => all.fallbacks.get(value).inc(),
                // The client did not wait for it.
                499 if is_last => {}
                _ => {
                    let nobody = |label| if label == "model_id" { NONE } else { value(label) };
                    all.failed_fallbacks.get(nobody).inc();
                }
            }
        }
    }

    fn cells_of(&self, trail: &Trail, outcome: &Outcome<'_>) -> Arc<Cells> {
        let alike = alike(trail, outcome);
        let known = self.cells.read().unwrap_or_else(PoisonError::into_inner).get(&alike).cloned();
        known.unwrap_or_else(|| {
            let cells = Arc::new(Cells::new(&self.families, trail, outcome));
            let mut all = self.cells.write().unwrap_or_else(PoisonError::into_inner);
            all.entry(alike).or_insert(cells).clone()
        })
    }
}
