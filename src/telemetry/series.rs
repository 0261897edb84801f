//! The metrics of calls that are alike: looked up once, then counted without any label.
use super::trail::{Outcome, Trail};
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
    pub(super) requested: usize,
    pub(super) deployment: usize,
    pub(super) route: usize,
    pub(super) status: u16,
    pub(super) failure: Option<(u16, usize)>,
}

impl Alike {
    /// What a call is like.
    pub(super) fn of(trail: &Trail, outcome: &Outcome<'_>) -> Self {
        let address = |text: &Arc<str>| text.as_ptr() as usize;
        Self {
            key: outcome.learned.principal.as_ref().map_or(0, |principal| address(&principal.key)),
            requested: outcome.learned.requested.as_ref().map_or(0, address),
            deployment: outcome
                .learned
                .served
                .as_ref()
                .map_or(0, |served| Arc::as_ptr(&served.deployment) as usize),
            route: trail.route().as_ptr() as usize,
            status: outcome.status,
            failure: outcome
                .failure
                .map(|failure| (failure.status, failure.class.as_ptr() as usize)),
        }
    }
}

/// The key, the requested name and the deployment of calls that are alike.
pub(super) type Texts = (Option<Arc<str>>, Option<Arc<str>>, Option<Arc<DeploymentLabels>>);

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
