//! Members of a request that have no word in the neutral model, and what stands beside Converse's
//! own members.
use crate::providers::bedrock::family::Family;
use crate::providers::chat::{Lost, Sampling, Taking, object, whole};
use serde_json::{Map, Value};

/// An object of a request.
pub(super) type Object = Map<String, Value>;

/// Beside Converse's own members stand the model's.
const FIELDS: &str = "additionalModelRequestFields";

/// Converse's own members, which a client may give as they are.
const OWN: [&str; 7] = [
    "guardrailConfig",
    "performanceConfig",
    "serviceTier",
    "requestMetadata",
    "promptVariables",
    "additionalModelResponseFieldPaths",
    "outputConfig",
];

/// OpenAI's members that the answer does not depend on.
const HINTS: [&str; 4] = ["store", "prediction", "prompt_cache_key", "stream_options"];

/// Where members go that only the model knows.
pub fn more_fields(body: &mut Object) -> &mut Object {
    let fields = body.entry(FIELDS).or_insert_with(|| Map::new().into());
    if !fields.is_object() {
        *fields = Map::new().into();
    }
    fields.as_object_mut().expect("it was made one")
}

/// Takes out of `rest` what this dialect has a place for, and what it has none for.
pub(super) fn take_extras(rest: &mut Object, body: &mut Object, lost: &mut Lost) -> Object {
    for name in OWN {
        if let Some(value) = rest.take(name) {
            body.insert(name.into(), value);
        }
    }
    let mut fields = rest.take_object(FIELDS).unwrap_or_default();
    for name in ["anthropic_beta", "betas"] {
        for beta in rest.take_array(name) {
            if let Value::String(beta) = beta {
                add_beta(&mut fields, beta);
            }
        }
    }
    match rest.take_text("service_tier").as_deref() {
        Some(tier @ ("default" | "priority" | "flex" | "reserved")) => {
            let tier = object([("type", tier.into())]);
            body.entry("serviceTier").or_insert(tier);
        }
        Some("standard_only") | None => {}
        Some(_) => lost.hint("service_tier"),
    }
    for name in HINTS {
        if rest.take(name).is_some() {
            lost.hint(name);
        }
    }
    fields
}

/// Asks Claude for a beta.
pub(super) fn add_beta(fields: &mut Object, beta: impl Into<Value>) {
    let beta = beta.into();
    let mut betas = fields.take_array("anthropic_beta");
    if !betas.contains(&beta) {
        betas.push(beta);
    }
    fields.insert("anthropic_beta".into(), betas.into());
}

/// `inferenceConfig`, and in `fields` what it has no member for.
pub(super) fn write_sampling(
    sampling: Sampling,
    family: Family,
    (body, fields): (&mut Object, &mut Object),
    lost: &mut Lost,
) {
    let mut config = Map::with_capacity(4);
    let mut put = |name: &str, value: Option<Value>| {
        value.map(|value| config.insert(name.to_owned(), value));
    };
    put("maxTokens", sampling.max_tokens.map(Into::into));
    put("temperature", sampling.temperature.map(Into::into));
    put("topP", sampling.top_p.map(Into::into));
    let all = sampling.stop.len();
    let stop: Vec<String> =
        sampling.stop.into_iter().filter(|stop| !stop.trim().is_empty()).collect();
    if stop.len() < all {
        lost.part("stop");
    }
    put("stopSequences", (!stop.is_empty()).then(|| stop.into()));
    if !config.is_empty() {
        body.insert("inferenceConfig".into(), config.into());
    }
    if let Some(top_k) = sampling.top_k.map(whole) {
        write_top_k(top_k, family, fields, lost);
    }
    lost.part_of("seed", &sampling.seed);
    lost.part_of("presence_penalty", &sampling.presence_penalty.filter(|it| *it != 0.0));
    lost.part_of("frequency_penalty", &sampling.frequency_penalty.filter(|it| *it != 0.0));
    lost.part_of("n", &sampling.choices.filter(|choices| *choices > 1));
    lost.part_of("logprobs", &sampling.logprobs.filter(|asked| *asked));
    lost.part_of("top_logprobs", &sampling.top_logprobs.filter(|count| *count > 0));
    lost.part_of("logit_bias", &sampling.logit_bias);
}

fn write_top_k(top_k: Value, family: Family, fields: &mut Object, lost: &mut Lost) {
    let (name, value) = match family {
        Family::Nova { .. } => ("inferenceConfig", object([("topK", top_k)])),
        Family::Cohere => ("k", top_k),
        Family::Llama | Family::Titan | Family::DeepSeek { first: true } => {
            return lost.part("top_k");
        }
        _ => ("top_k", top_k),
    };
    fields.entry(name).or_insert(value);
}
