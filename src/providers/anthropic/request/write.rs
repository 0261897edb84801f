//! A request in Anthropic's words.
use super::Betas;
use super::content::Writer;
use super::extras::take_extras;
use super::fields::Object;
use super::format::{Asked, ask};
use super::hosted::search;
use super::offer::{Wish, offer};
use super::thinking::read_thinking;
use super::turns::Conversation;
use crate::providers::chat::{
    Ids, Lost, Malformed, Request, Sampling, Taking, Target, Tool, Written,
};
use crate::providers::claude::{Model, Plan, fit_sampling, plan};
use serde_json::{Map, Value};

/// The length of an answer for which nobody has said one, in tokens.
const USUAL: u64 = 4096;

/// Writes a request.
///
/// # Errors
/// The conversation is empty, or the model speaks first in it, and nothing may be put before that.
pub fn write_request(
    request: Request,
    target: &Target<'_>,
    lost: &mut Lost,
) -> Result<Written, Malformed> {
    let Request { turns, mut tools, tool_choice, parallel_tools, format, mut sampling, .. } =
        request;
    let Request { thinking, stream, user, metadata, mut rest, .. } = request;
    let model = Model::of(target.model);
    let mut betas = Betas::default();
    let mut body = Map::with_capacity(12);
    body.insert("model".into(), target.model.into());

    let (betas_of_turns, lost_of_turns) = (&mut betas, &mut *lost);
    let mut writer = Writer {
        ids: Ids::up_to(usize::MAX),
        betas: betas_of_turns,
        lost: lost_of_turns,
        has_calls: false,
    };
    let prefills = model.takes_prefill();
    let mut conversation = Conversation::write(turns, target, prefills, &mut writer)?;
    let has_calls = writer.has_calls;
    let thinking = thinking.or_else(|| read_thinking(rest.take_object("thinking")?).ok());
    let unproven = conversation.is_unproven();
    let plan = plan(thinking.as_ref(), model, target, unproven, lost);
    if !conversation.system.is_empty() {
        body.insert("system".into(), std::mem::take(&mut conversation.system).into());
    }
    body.insert("messages".into(), conversation.into_messages());
    if let Some(options) = rest.take_object("web_search_options") {
        tools.push(Tool::Hosted(search(options)));
    }
    take_extras(&mut rest, &mut body, &mut betas, lost);
    let in_cloud = target.is_in_googles_cloud();
    let mut format = format.map(|format| ask(format, model, in_cloud, &mut betas));
    write_output(&mut format, plan.effort, &mut body);
    let wish = Wish {
        tools,
        choice: tool_choice,
        parallel: parallel_tools,
        format,
        has_calls,
        thinks: plan.on,
        modify: target.modify,
    };
    let memo = offer(wish, model, &mut body, &mut betas, lost);
    let thinks = plan.thinks();
    write_limits(&sampling, plan, target, &mut body);
    sampling.top_k = sampling.top_k.or_else(|| rest.take_number("top_k"));
    fit_sampling(&mut sampling, model, target, thinks, lost);
    write_sampling(&sampling, &mut body);
    lose_sampling(&sampling, lost);
    write_stop(sampling.stop, &mut body, lost);
    write_user(user, metadata.is_some(), &mut body, lost);
    if stream {
        body.insert("stream".into(), true.into());
    }
    Ok(Written { body, headers: betas.headers(), memo, rest })
}

/// `output_format`, or `output_config`. A hidden tool is left for the tools.
fn write_output(format: &mut Option<Asked>, effort: Option<&'static str>, body: &mut Object) {
    let mut config = body.take_object("output_config").unwrap_or_default();
    if let Some(effort) = effort {
        config.insert("effort".into(), effort.into());
    }
    match format.take() {
        Some(Asked::Config(schema)) => drop(config.insert("format".into(), schema)),
        Some(Asked::Format(schema)) => drop(body.insert("output_format".into(), schema)),
        tool => *format = tool,
    }
    if !config.is_empty() {
        body.insert("output_config".into(), config.into());
    }
}

/// `max_tokens` and `thinking`.
fn write_limits(sampling: &Sampling, mut plan: Plan, target: &Target<'_>, body: &mut Object) {
    let length = plan.limit(sampling.max_tokens, target.max_output);
    let usual = || target.max_output.unwrap_or(USUAL);
    body.insert("max_tokens".into(), length.unwrap_or_else(usual).into());
    if let Some(thinking) = plan.thinking {
        body.insert("thinking".into(), thinking);
    }
}

/// What is left of how words are chosen.
fn write_sampling(sampling: &Sampling, body: &mut Object) {
    let Sampling { temperature, top_p, top_k, .. } = *sampling;
    for (name, value) in [("temperature", temperature), ("top_p", top_p), ("top_k", top_k)] {
        if let Some(value) = value {
            body.insert(name.into(), number(value));
        }
    }
}

/// `stop_sequences`. The server refuses blank ones.
fn write_stop(stop: Vec<String>, body: &mut Object, lost: &mut Lost) {
    let all = stop.len();
    let stop: Vec<Value> =
        stop.into_iter().filter(|stop| !stop.trim().is_empty()).map(Value::from).collect();
    if stop.len() < all {
        lost.part("stop");
    }
    if !stop.is_empty() {
        body.insert("stop_sequences".into(), stop.into());
    }
}

/// What Anthropic has no member for.
fn lose_sampling(sampling: &Sampling, lost: &mut Lost) {
    lost.part_of("seed", &sampling.seed);
    lost.part_of("presence_penalty", &sampling.presence_penalty.filter(|it| *it != 0.0));
    lost.part_of("frequency_penalty", &sampling.frequency_penalty.filter(|it| *it != 0.0));
    lost.part_of("n", &sampling.choices.filter(|choices| *choices > 1));
    lost.part_of("logprobs", &sampling.logprobs.filter(|asked| *asked));
    lost.part_of("top_logprobs", &sampling.top_logprobs.filter(|count| *count > 0));
    lost.part_of("logit_bias", &sampling.logit_bias);
}

/// A number, whole where it is one: `top_k` has to be.
fn number(value: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "checked: below 10^15")]
    if value.fract() == 0.0 && value.abs() >= 2.0 && value.abs() < 1e15 {
        return (value as i64).into();
    }
    value.into()
}

/// `metadata`, which takes an opaque name of the user only.
fn write_user(user: Option<String>, has_metadata: bool, body: &mut Object, lost: &mut Lost) {
    if has_metadata {
        lost.hint("metadata");
    }
    match user {
        Some(user) if !is_personal(&user) => {
            let user = Map::from_iter([("user_id".to_owned(), Value::from(user))]);
            body.insert("metadata".into(), user.into());
        }
        Some(_) => lost.hint("user"),
        None => {}
    }
}

/// Whether it looks like an e-mail address or a telephone number: Anthropic wants none.
fn is_personal(user: &str) -> bool {
    let is_phone = |letter: char| letter.is_ascii_digit() || "+-.() ".contains(letter);
    let digits = user.chars().filter(char::is_ascii_digit).count();
    let is_address = user.split_once('@').is_some_and(|(_, host)| host.contains('.'));
    is_address || ((7..=15).contains(&digits) && user.chars().all(is_phone))
}
