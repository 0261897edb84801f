//! A request for Converse. Which model it is for, and whether a stream is wanted, says its path.
use super::content::Writer;
use super::fields::{Object, more_fields, take_extras, write_sampling};
use super::format::{Asked, ask};
use super::thinking;
use super::tools::{Wish, offer, system};
use super::turns::Conversation;
use crate::providers::bedrock::family::Family;
use crate::providers::chat::{
    Lost, Malformed, Request, Sampling, Taking, Target, Thinking, Tool, Written,
};
use crate::providers::claude::{fit_sampling, plan};
use serde_json::{Map, Value};

/// Writes a request.
///
/// # Errors
/// The conversation is empty, or the model speaks first in it, and nothing may be put before that.
pub fn write_request(
    request: Request,
    target: &Target<'_>,
    lost: &mut Lost,
) -> Result<Written, Malformed> {
    let Request { turns, mut tools, mut sampling, mut rest, .. } = request;
    let family = Family::of(target.model);
    let mut body = Map::with_capacity(8);

    let mut writer = Writer::new(family, lost);
    let mut conversation = Conversation::write(turns, target, &mut writer)?;
    let Writer { names, has_calls, .. } = writer;
    let unproven = conversation.is_unproven();
    let system_blocks = std::mem::take(&mut conversation.system);
    body.insert("messages".into(), conversation.into_messages());
    if !system_blocks.is_empty() {
        body.insert("system".into(), system_blocks.into());
    }
    if rest.take("web_search_options").is_some() {
        match family {
            Family::Nova { .. } => tools.push(Tool::Hosted(system("grounding"))),
            _ => lost.part("web_search_options"),
        }
    }
    let mut fields = take_extras(&mut rest, &mut body, lost);
    let asked = request.thinking.or_else(|| thinking::read(rest.take_object("thinking")?));
    sampling.top_k = sampling.top_k.or_else(|| rest.take_number("top_k"));
    let thinks =
        think(asked.as_ref(), family, target, unproven, (&mut sampling, &mut fields), lost);
    let format = request.format.map(|format| ask(format, family));
    let format = write_format(format, &mut body);
    let wish = Wish {
        tools,
        choice: request.tool_choice,
        parallel: request.parallel_tools,
        format,
        has_calls,
        thinks,
        modify: target.modify,
    };
    let memo = offer(wish, family, names, (&mut body, &mut fields), lost);
    write_sampling(sampling, family, (&mut body, &mut fields), lost);
    if !fields.is_empty() {
        *more_fields(&mut body) = fields;
    }
    lost.hint_of("user", &request.user);
    lost.hint_of("metadata", &request.metadata);
    Ok(Written { body, memo, rest, ..Written::default() })
}

/// Writes how much the model thinks, and takes out of `sampling` what it does not take then.
/// Whether it thinks.
fn think(
    asked: Option<&Thinking>,
    family: Family,
    target: &Target<'_>,
    unproven: bool,
    (sampling, fields): (&mut Sampling, &mut Object),
    lost: &mut Lost,
) -> bool {
    let Some(model) = family.claude() else {
        if let Some(asked) = asked {
            thinking::write(asked, family, sampling, fields, lost);
        }
        return false;
    };
    let mut plan = plan(asked, model, target, unproven, lost);
    let thinks = plan.thinks();
    sampling.max_tokens = plan.limit(sampling.max_tokens, target.max_output);
    fit_sampling(sampling, model, target, thinks, lost);
    if let Some(thinking) = plan.thinking {
        fields.insert("thinking".into(), thinking);
    }
    if let Some(effort) = plan.effort {
        let mut config = fields.take_object("output_config").unwrap_or_default();
        config.insert("effort".into(), effort.into());
        fields.insert("output_config".into(), config.into());
    }
    thinks
}

/// `outputConfig`. A hidden tool is left for the tools.
fn write_format(format: Option<Asked>, body: &mut Object) -> Option<Asked> {
    match format {
        Some(Asked::Text(format)) => {
            let mut config = body.take_object("outputConfig").unwrap_or_default();
            config.insert("textFormat".into(), format);
            body.insert("outputConfig".into(), Value::Object(config));
            None
        }
        tool => tool,
    }
}
