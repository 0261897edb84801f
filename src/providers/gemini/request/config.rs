//! How the answer is wanted, in Google's words: `generationConfig`, and what stands beside it.
use crate::providers::chat::{Format, Lost, Request, Sampling, Taking, Target, Written};
use crate::providers::gemini::fields::{camel, members, pick};
use crate::providers::gemini::model::Model;
use crate::providers::gemini::{openapi, thinking};
use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

/// Writes everything but the conversation and the tools.
pub(super) fn write(
    request: &mut Request,
    written: &mut Written,
    target: &Target<'_>,
    lost: &mut Lost,
) {
    let model = Model::named(target.model);
    let mut config = Map::new();
    sampling(std::mem::take(&mut request.sampling), &mut config, lost);
    if let Some(format) = request.format.take() {
        write_format(format, &mut config, &model);
    }
    let thoughts = request.thinking.take();
    if let Some(own) = thoughts.and_then(|thinking| thinking::write(&thinking, target, lost)) {
        config.insert("thinkingConfig".to_owned(), Value::Object(own));
    }
    of_rest(&mut request.rest, &mut config);
    if !config.is_empty() {
        written.body.insert("generationConfig".to_owned(), Value::Object(config));
    }
    beside(&mut request.rest, written, target, lost);
    for (name, is_there) in
        [("user", request.user.take().is_some()), ("metadata", request.metadata.take().is_some())]
    {
        if is_there {
            lost.hint(name);
        }
    }
}

fn sampling(sampling: Sampling, config: &mut Object, lost: &mut Lost) {
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            config.insert(name.to_owned(), value);
        }
    };
    put("temperature", sampling.temperature.map(Value::from));
    put("topP", sampling.top_p.map(Value::from));
    // Google wants a whole number. A cast stops at the ends of the range.
    #[expect(clippy::cast_possible_truncation, reason = "rounded")]
    put("topK", sampling.top_k.map(|top_k| (top_k.round() as i32).into()));
    put("candidateCount", sampling.choices.map(Value::from));
    put("maxOutputTokens", sampling.max_tokens.map(Value::from));
    let mut stop = sampling.stop;
    if stop.len() > 5 {
        // Google takes no more.
        lost.part("stop");
        stop.truncate(5);
    }
    put("stopSequences", (!stop.is_empty()).then(|| stop.into()));
    put("presencePenalty", sampling.presence_penalty.map(Value::from));
    put("frequencyPenalty", sampling.frequency_penalty.map(Value::from));
    // Google's has 32 bits. Equal seeds stay equal.
    put(
        "seed",
        sampling.seed.map(|seed| i32::try_from(seed).unwrap_or_else(|_| folded(seed)).into()),
    );
    if sampling.logprobs == Some(true) {
        put("responseLogprobs", Some(true.into()));
        put("logprobs", sampling.top_logprobs.map(Value::from));
    }
    lost.part_of("logit_bias", &sampling.logit_bias);
}

fn folded(seed: i64) -> i32 {
    let halves = (seed.unsigned_abs() ^ (seed.unsigned_abs() >> 32)) & 0x7fff_ffff;
    i32::try_from(halves).unwrap_or(0)
}

fn write_format(format: Format, config: &mut Object, model: &Model<'_>) {
    config.insert("responseMimeType".to_owned(), "application/json".into());
    let Format::Schema { mut schema, .. } = format else { return };
    if !model.since(2, 0) {
        config.insert("responseSchema".to_owned(), openapi::old(&schema));
        return;
    }
    if let Some(members) = schema.as_object_mut() {
        members.shift_remove("$schema");
        members.shift_remove("strict");
    }
    config.insert("responseJsonSchema".to_owned(), schema);
}

/// What a client says in Google's words, and OpenAI's kinds of answers.
fn of_rest(rest: &mut Object, config: &mut Object) {
    if let Some(kinds) = rest.take("modalities") {
        config.insert("responseModalities".to_owned(), upper(kinds));
    }
    let voice = rest.take_object("audio").and_then(|mut audio| audio.take_text("voice"));
    if let Some(voice) = voice {
        let voice = json!({"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": voice}}});
        config.insert("speechConfig".to_owned(), voice);
    }
    for name in
        ["responseModalities", "speechConfig", "mediaResolution", "imageConfig", "thinkingConfig"]
    {
        if let Some(own) = pick(rest, name) {
            config.insert(name.to_owned(), own);
        }
    }
    let own = pick(rest, "generationConfig").and_then(members).unwrap_or_default();
    for (name, value) in own {
        config.entry(camel(&name)).or_insert(value);
    }
}

/// Google writes `TEXT` where OpenAI writes `text`.
fn upper(kinds: Value) -> Value {
    match kinds {
        Value::String(kind) => kind.to_ascii_uppercase().into(),
        Value::Array(kinds) => kinds
            .into_iter()
            .map(|kind| match kind {
                Value::String(kind) => kind.to_ascii_uppercase().into(),
                other => other,
            })
            .collect(),
        other => other,
    }
}

/// Members of the body itself.
fn beside(rest: &mut Object, written: &mut Written, target: &Target<'_>, lost: &mut Lost) {
    let is_vertex = target.is_in_googles_cloud();
    let body = &mut written.body;
    for name in ["safetySettings", "cachedContent"] {
        if let Some(own) = pick(rest, name) {
            body.insert(name.to_owned(), own);
        }
    }
    for name in ["labels", "modelArmorConfig"] {
        match pick(rest, name) {
            Some(own) if is_vertex => drop(body.insert(name.to_owned(), own)),
            Some(_) => lost.hint(name),
            None => {}
        }
    }
    let tier = pick(rest, "serviceTier");
    match tier.as_ref().and_then(Value::as_str) {
        Some(tier @ ("flex" | "priority")) if is_vertex => {
            written.headers.push(("x-vertex-ai-llm-shared-request-type", tier.to_owned()));
        }
        Some(tier @ ("flex" | "priority")) => {
            body.insert("serviceTier".to_owned(), tier.into());
        }
        None | Some("auto" | "default" | "standard" | "unspecified") => {}
        Some(_) => lost.hint("service_tier"),
    }
}
