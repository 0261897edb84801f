//! Members of a request that have no word in the neutral model: Anthropic's own ones are kept, and
//! OpenAI's that Anthropic would refuse are left out here.
use super::Betas;
use super::fields::Object;
use crate::providers::chat::{Lost, Taking};
use serde_json::Value;

/// Anthropic's own members, and the betas that they need.
const OWN: [(&str, &str); 10] = [
    ("cache_control", ""),
    ("container", ""),
    ("context_management", "context-management-2025-06-27"),
    ("mcp_servers", "mcp-client-2025-04-04"),
    ("inference_geo", ""),
    ("speed", "fast-mode-2026-02-01"),
    ("diagnostics", ""),
    ("user_profile_id", ""),
    ("output_config", ""),
    ("output_format", "structured-outputs-2025-11-13"),
];

/// OpenAI's members that the answer does not depend on.
const HINTS: [&str; 6] = [
    "store",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "stream_options",
];

/// Takes out of `rest` what this dialect has a place for, and what OpenAI's chat clients say that
/// it has none for.
pub(super) fn take_extras(
    rest: &mut Object,
    body: &mut Object,
    betas: &mut Betas,
    lost: &mut Lost,
) {
    for (name, beta) in OWN {
        if let Some(value) = rest.take(name) {
            if !beta.is_empty() {
                betas.add(beta);
            }
            if name == "container" && value.get("skills").is_some() {
                betas.add("skills-2025-10-02");
            }
            body.insert(name.into(), value);
        }
    }
    for name in ["anthropic_beta", "betas"] {
        for beta in rest.take_array(name) {
            if let Value::String(beta) = beta {
                betas.add(beta);
            }
        }
    }
    match rest.take_text("service_tier").as_deref() {
        Some(tier @ ("auto" | "standard_only")) => {
            body.insert("service_tier".into(), tier.into());
        }
        Some("default") => drop(body.insert("service_tier".into(), "standard_only".into())),
        Some(_) => lost.part("service_tier"),
        None => {}
    }
    for name in HINTS {
        if rest.take(name).is_some() {
            lost.hint(name);
        }
    }
    if rest.take_text("verbosity").is_some_and(|verbosity| verbosity != "medium") {
        lost.part("verbosity");
    }
    if rest.take_array("modalities").iter().any(|kind| kind != "text") {
        lost.part("modalities");
    }
    if rest.take("audio").is_some() {
        lost.part("audio");
    }
}
