//! The metrics of calls that are alike: looked up once, then counted without any label.
use super::book::Outcome;
use super::events::Cached;
use super::families::Families;
use super::labels::{NONE, class_of, of_call};
use super::trail::{Served, Trail};
use bartizan_layers::facts::{About, Unit};
use prometheus::{Counter, Histogram};
use std::sync::Arc;

/// How metrics name a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeploymentLabels {
    /// Its id.
    pub model_id: Arc<str>,
    /// Its model group.
    pub model_group: Arc<str>,
    /// Its model, without the provider.
    pub model: Arc<str>,
    /// Its model, with the provider.
    pub litellm_model_name: Arc<str>,
    /// Its provider.
    pub api_provider: &'static str,
    /// Its base URL.
    pub api_base: Arc<str>,
}

/// What makes calls alike: the same cells count them. Texts come from the config and are shared,
/// so that their addresses tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Alike {
    pub(super) key: usize,
    /// Its user, team and organisation: another alias is another holder.
    pub(super) above: [usize; 3],
    pub(super) requested: usize,
    pub(super) deployment: usize,
    pub(super) route: usize,
    pub(super) status: u16,
    pub(super) failure: Option<(u16, usize)>,
    pub(super) failed_at: Option<&'static str>,
    pub(super) cached: Option<Cached>,
}

/// The key with what is known of it, the requested name and the deployment of calls that are alike.
pub(super) type Texts =
    (Option<(Arc<str>, About)>, Option<Arc<str>>, Option<Arc<DeploymentLabels>>);

/// The cells that calls which are alike share.
#[derive(Debug)]
pub(super) struct Cells {
    /// Keeps the texts alive whose addresses are the key of this entry.
    pub(super) _alive: Texts,
    pub(super) calls: Counter,
    pub(super) duration: Histogram,
    pub(super) proxy_total: Counter,
    pub(super) proxy_failed: Option<Counter>,
    pub(super) served: Option<ServedCells>,
    pub(super) cached: Option<CachedCells>,
}

/// The cells of calls that a cache was asked about.
#[derive(Debug)]
pub(super) enum CachedCells {
    Hit { hits: Counter, tokens: Counter, saved: Counter },
    Miss(Counter),
}

/// The cells of calls that reached a deployment.
#[derive(Debug)]
pub(super) struct ServedCells {
    pub(super) requests: Counter,
    pub(super) spend: Counter,
    pub(super) total_tokens: Counter,
    pub(super) input_tokens: Counter,
    pub(super) output_tokens: Counter,
    pub(super) total_latency: Histogram,
    pub(super) api_latency: Histogram,
    pub(super) time_to_first_token: Histogram,
    pub(super) overhead: Histogram,
    pub(super) own_overhead: Histogram,
    pub(super) deployment_total: Counter,
    pub(super) deployment_outcome: Counter,
}

impl Cells {
    pub(super) fn new(all: &Families, trail: &Trail, outcome: &Outcome<'_>) -> Self {
        let status = outcome.status.to_string();
        let failed_with = outcome.failure.map_or(outcome.status, |failure| failure.status);
        let failed_with = failed_with.to_string();
        let class = outcome.failure.map(|failure| class_of(failure, outcome.failed_at));
        let value = |label: &'static str| match label {
            "status_code" | "status" => status.as_str(),
            "exception_status" => failed_with.as_str(),
            "exception_class" => class.as_deref().unwrap_or(NONE),
            "route" => trail.route(),
            label => of_call(outcome, label),
        };
        Self {
            calls: all.calls.get(value),
            duration: all.duration.get(value),
            proxy_total: all.proxy_total.get(value),
            proxy_failed: outcome.failure.map(|_| all.proxy_failed.get(value)),
            served: ServedCells::new(all, outcome, value),
            cached: CachedCells::new(all, outcome, value),
            _alive: (
                outcome.learned.principal.as_ref().map(|it| (it.key.clone(), it.about.clone())),
                outcome.learned.requested.clone(),
                outcome.deployment().cloned(),
            ),
        }
    }
}

impl CachedCells {
    fn new<'a>(
        all: &Families,
        outcome: &Outcome<'_>,
        value: impl Fn(&'static str) -> &'a str + Copy,
    ) -> Option<Self> {
        Some(match outcome.cached? {
            Cached::Hit => Self::Hit {
                hits: all.cache_hits.get(value),
                tokens: all.cached_tokens.get(value),
                saved: all.saved.get(value),
            },
            Cached::Miss => Self::Miss(all.cache_misses.get(value)),
        })
    }

    pub(super) fn count(&self, outcome: &Outcome<'_>) {
        match self {
            Self::Miss(misses) => misses.inc(),
            Self::Hit { hits, tokens, saved } => {
                hits.inc();
                let bill = outcome.learned.hit.as_ref().and_then(|hit| hit.bill);
                if let Some((usage, cost)) = bill {
                    tokens.inc_by(usage.total() as f64);
                    saved.inc_by(cost.dollars());
                }
            }
        }
    }
}

impl ServedCells {
    fn new<'a>(
        all: &Families,
        outcome: &Outcome<'_>,
        value: impl Fn(&'static str) -> &'a str + Copy,
    ) -> Option<Self> {
        let served = outcome.learned.served.as_ref()?;
        Some(Self {
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
        })
    }

    pub(super) fn count(&self, trail: &Trail, outcome: &Outcome<'_>, served: &Served) {
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
