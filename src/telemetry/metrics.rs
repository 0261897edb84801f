//! Counts calls: finds the cells of calls that are alike, and counts in them.
use super::families::Families;
use super::family::unix_now;
use super::live::Live;
use super::observed::Observed;
use super::series::{Alike, Cells, DeploymentLabels, ServedCells};
use super::totals::Totals;
use super::trail::{Outcome, Served, Trail};
use crate::config::Compat;
use bartizan_layers::end::End;
use bartizan_layers::facts::Unit;
use foldhash::fast::RandomState;
use http::StatusCode;
use prometheus::Gauge;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// What LiteLLM prints where a value is not known.
pub(super) const NONE: &str = "None";
/// What stands for a model that the config does not know, so that clients cannot make series.
pub(super) const OTHER: &str = "other";

/// Values of the label `result`.
const SUCCESS: &str = "success";
const FAILURE: &str = "failure";

/// All metrics of a process.
#[derive(Debug)]
pub struct Metrics {
    families: Families,
    /// Looked up once per call, by addresses that no client chooses.
    cells: RwLock<HashMap<Alike, Arc<Cells>, RandomState>>,
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
            in_flight: families.in_flight.get(|_| NONE),
            open_streams: families.open_streams.get(|_| NONE),
            received: families.received.get(|_| NONE),
            sent: families.sent.get(|_| NONE),
            families,
        }
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
        }
    }

    /// Calls that have begun and not ended.
    #[must_use]
    pub fn open_calls(&self) -> usize {
        self.in_flight.get() as usize
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
        if let (Some(cells), Some(served)) = (&cells.served, outcome.learned.served.as_ref()) {
            cells.count(trail, outcome, served);
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
        if let (Some(cells), Some(served)) = (&cells.served, outcome.learned.served.as_ref()) {
            cells.count(branch, &outcome, served);
        }
        self.end_others(&outcome);
    }

    fn cells_of(&self, trail: &Trail, outcome: &Outcome<'_>) -> Arc<Cells> {
        let alike = Alike::of(trail, outcome);
        let known = self.cells.read().unwrap_or_else(PoisonError::into_inner).get(&alike).cloned();
        known.unwrap_or_else(|| {
            let cells = Arc::new(self.make_cells(trail, outcome));
            let mut all = self.cells.write().unwrap_or_else(PoisonError::into_inner);
            all.entry(alike).or_insert(cells).clone()
        })
    }

    fn make_cells(&self, trail: &Trail, outcome: &Outcome<'_>) -> Cells {
        let all = &self.families;
        let status = outcome.status.to_string();
        let failed_with = outcome.failure.map_or(outcome.status, |failure| failure.status);
        let failed_with = failed_with.to_string();
        let value = |label: &'static str| match label {
            "status_code" | "status" => status.as_str(),
            "exception_status" => failed_with.as_str(),
            "exception_class" => outcome.failure.map_or(NONE, |failure| failure.class),
            "route" => trail.route(),
            label => of_call(outcome, label),
        };
        let served = outcome.learned.served.as_ref().map(|served| ServedCells {
            requests: all.requests.get(value),
            spend: all.spend.get(value),
            total_tokens: all.total_tokens.get(value),
            input_tokens: all.input_tokens.get(value),
            output_tokens: all.output_tokens.get(value),
            total_latency: all.total_latency.get(value),
            api_latency: all.api_latency.get(value),
            time_to_first_token: all.time_to_first_token.get(value),
            overhead: all.overhead.get(value),
            own_overhead: all.own_overhead.get(|_| served.deployment.api_provider),
            deployment_total: all.deployment_total.get(value),
            deployment_outcome: match outcome.failure {
                None => all.deployment_success.get(value),
                Some(_) => all.deployment_failure.get(value),
            },
        });
        Cells {
            calls: all.calls.get(value),
            duration: all.duration.get(value),
            proxy_total: all.proxy_total.get(value),
            proxy_failed: outcome.failure.map(|_| all.proxy_failed.get(value)),
            served,
            _alive: (
                outcome.learned.principal.as_ref().map(|principal| principal.key.clone()),
                outcome.learned.requested.clone(),
                outcome.learned.served.as_ref().map(|served| served.deployment.clone()),
            ),
        }
    }
}

impl ServedCells {
    fn count(&self, trail: &Trail, outcome: &Outcome<'_>, served: &Served) {
        self.deployment_total.inc();
        self.deployment_outcome.inc();
        let Some(sent) = outcome.learned.sent.as_ref() else { return };
        let overhead = (*sent - trail.started()).as_secs_f64();
        self.overhead.observe(overhead);
        self.own_overhead.observe(overhead);
        if outcome.failure.is_none() {
            self.requests.inc();
            self.total_latency.observe(outcome.took.as_secs_f64());
            self.api_latency.observe((outcome.ended - *sent).as_secs_f64());
        }
        if let (true, Some(first)) = (trail.streamed(), outcome.learned.first_content.as_ref()) {
            self.time_to_first_token.observe((*first - *sent).as_secs_f64());
        }
        if let Some((usage, cost)) = served.usage.bill() {
            self.input_tokens.inc_by(usage[Unit::Input] as f64);
            self.output_tokens.inc_by(usage[Unit::Output] as f64);
            self.total_tokens.inc_by(usage.total() as f64);
            self.spend.inc_by(cost.0 as f64 / 1e9);
        }
    }
}

fn of_call<'a>(outcome: &'a Outcome<'_>, label: &str) -> &'a str {
    match label {
        "hashed_api_key" => {
            outcome.learned.principal.as_ref().map_or(NONE, |principal| &principal.key)
        }
        "user" => outcome.learned.principal.as_ref().map_or(NONE, |principal| &principal.user),
        "requested_model" => outcome.learned.requested.as_ref().map_or(OTHER, AsRef::as_ref),
        label => outcome
            .learned
            .served
            .as_ref()
            .map_or(NONE, |served| of_deployment(&served.deployment, label)),
    }
}

fn of_deployment<'a>(deployment: &'a DeploymentLabels, label: &str) -> &'a str {
    match label {
        "model" => &deployment.model,
        "model_id" => &deployment.model_id,
        "model_group" => &deployment.model_group,
        "litellm_model_name" => &deployment.litellm_model_name,
        "api_provider" => deployment.api_provider,
        "api_base" => &deployment.api_base,
        // Addresses and user agents of clients would make a series each; end users, teams and
        // organisations are not known yet.
        _ => NONE,
    }
}
