//! `/health` and its children (contract 3.2 and 9.2).
use super::{Handles, json, query};
use crate::config::Compat;
use crate::router::Probe;
use bartizan_layers::body::Body;
use bartizan_layers::facts::Principal;
use http::{Response, StatusCode, request};
use serde_json::{Value, json};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The process answers.
pub(super) fn liveness() -> Response<Body> {
    json(&"I'm alive!".into())
}

/// Calls may be sent here: 503 once the process is on its way out.
pub(super) fn readiness(handles: &Handles) -> Response<Body> {
    if handles.draining.is_draining() {
        let mut rsp = json(&json!({"status": "draining", "db": "Not connected"}));
        *rsp.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        return rsp;
    }
    let mut body = match handles.compat {
        Compat::Current => json!({"status": "healthy", "db": "Not connected"}),
        Compat::Classic => json!({
            "status": "healthy", "db": "Not connected", "cache": null,
            "litellm_version": VERSION, "success_callbacks": [],
        }),
    };
    if handles.manage.is_some() {
        // As LiteLLM tells that it has a database.
        body["db"] = "connected".into();
        if handles.compat == Compat::Classic {
            body["status"] = "connected".into();
        }
    }
    if let Some(redis) = &handles.redis {
        body["redis"] = if redis.is_connected() { "connected" } else { "away" }.into();
    }
    if let Some(trouble) = handles.journal.as_ref().and_then(|journal| journal.trouble()) {
        body["journal"] = trouble.into();
    }
    if let Some(refused) = handles.last_reload.refused() {
        body["config"] = refused;
    }
    json(&body)
}

/// Without a key: no upstream is called, no name is shown.
pub(super) fn summary(handles: &Handles) -> Response<Body> {
    json(&json!({"status": "healthy", "version": VERSION, "uptime": uptime(handles)}))
}

/// With a key: each deployment that it may use is called once, as contract 9.2 has it.
pub(super) async fn probed(
    handles: &Handles,
    parts: &request::Parts,
    who: &Principal,
) -> Response<Body> {
    let wanted = |probe: &Probe| {
        handles.shows(who, &probe.group)
            && query(parts, "model").is_none_or(|model| *probe.group == *model)
            && query(parts, "model_id").is_none_or(|id| *probe.model_id == *id)
    };
    let probes = handles.router.probes(wanted).await;
    let (healthy, unhealthy): (Vec<_>, Vec<_>) =
        probes.iter().partition(|probe| probe.error.is_none());
    let shown = |probes: &[&Probe]| probes.iter().map(|probe| shown(probe)).collect::<Vec<_>>();
    json(&json!({
        "status": if unhealthy.is_empty() { "healthy" } else { "unhealthy" },
        "version": VERSION,
        "uptime": uptime(handles),
        "healthy_endpoints": shown(&healthy),
        "unhealthy_endpoints": shown(&unhealthy),
        "healthy_count": healthy.len(),
        "unhealthy_count": unhealthy.len(),
    }))
}

fn shown(probe: &Probe) -> Value {
    let mut shown = json!({
        "model": *probe.model, "model_id": *probe.model_id, "latency_ms": probe.latency.as_millis(),
        "status": if probe.error.is_none() { "healthy" } else { "unhealthy" },
    });
    if !probe.api_base.is_empty() {
        shown["api_base"] = (*probe.api_base).into();
    }
    if let Some(error) = &probe.error {
        shown["error"] = error.as_str().into();
    }
    shown
}

/// Seconds since the process was ready.
fn uptime(handles: &Handles) -> f64 {
    handles.started.elapsed().as_secs_f64()
}
