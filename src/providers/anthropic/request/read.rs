//! A client's request.
use super::blocks::{read_content, read_system};
use super::fields::{
    Object, count, flag, into_object, into_text, list, nested, number, required, text, within,
    wrong,
};
use super::format::read_format;
use super::thinking::read_thinking;
use super::tools::{read_choice, read_tools};
use crate::providers::chat::{Malformed, Request, Role, Sampling, Taking, Turn};
use serde_json::{Map, Value};

/// Reads a request for an answer. The model is left to the caller, who has found it already.
///
/// # Errors
/// What Anthropic's server would refuse too: a required member is missing, or one is of the wrong
/// type.
pub fn read_request(mut body: Map<String, Value>) -> Result<Request, Malformed> {
    if body.get("max_tokens").is_none_or(Value::is_null) {
        let message = "`max_tokens` is required: the number of tokens that the answer may have.";
        return Err(Malformed::new("max_tokens", message));
    }
    text(&mut body, "model")?;
    let mut request = Request { turns: read_turns(&mut body)?, ..Request::default() };
    request.sampling = read_sampling(&mut body)?;
    request.stream = flag(&mut body, "stream")?.unwrap_or_default();
    // This dialect's streams always tell it.
    request.stream_usage = true;
    request.tools = read_tools(list(&mut body, "tools")?)?;
    if let Some(choice) = nested(&mut body, "tool_choice")? {
        let choice = read_choice(choice).map_err(|error| within(error, "tool_choice"))?;
        (request.tool_choice, request.parallel_tools) = choice;
    }
    let output = nested(&mut body, "output_config")?;
    let format = nested(&mut body, "output_format")?;
    request.format = format
        .map(|format| read_format(format).map_err(|error| within(error, "output_format")))
        .transpose()?;
    let thinking = nested(&mut body, "thinking")?;
    request.thinking = thinking
        .map(|thinking| read_thinking(thinking).map_err(|error| within(error, "thinking")))
        .transpose()?;
    if let Some(output) = output {
        let left = read_output(output, &mut request);
        let left = left.map_err(|error| within(error, "output_config"))?;
        if !left.is_empty() {
            body.insert("output_config".into(), Value::Object(left));
        }
    }
    if let Some(mut metadata) = nested(&mut body, "metadata")? {
        request.user = text(&mut metadata, "user_id").map_err(|error| within(error, "metadata"))?;
        request.metadata = (!metadata.is_empty()).then_some(Value::Object(metadata));
    }
    request.rest = body;
    Ok(request)
}

/// Takes `output_config` in, and gives back what is left of it.
fn read_output(mut output: Object, request: &mut Request) -> Result<Object, Malformed> {
    if let Some(effort) = text(&mut output, "effort")? {
        request.thinking.get_or_insert_default().effort = Some(effort);
    }
    if let Some(format) = nested(&mut output, "format")? {
        let format = read_format(format).map_err(|error| within(error, "format"))?;
        request.format = Some(format);
    }
    Ok(output)
}

fn read_sampling(body: &mut Object) -> Result<Sampling, Malformed> {
    let stop = list(body, "stop_sequences")?.into_iter().map(into_text);
    let stop = stop.collect::<Option<Vec<String>>>();
    Ok(Sampling {
        max_tokens: count(body, "max_tokens")?,
        temperature: number(body, "temperature")?,
        top_p: number(body, "top_p")?,
        top_k: number(body, "top_k")?,
        stop: stop.ok_or_else(|| wrong("stop_sequences", "a list of strings"))?,
        ..Sampling::default()
    })
}

fn read_turns(body: &mut Object) -> Result<Vec<Turn>, Malformed> {
    let mut turns = Vec::new();
    if let Some(system) = body.take("system") {
        let blocks = read_system(system).map_err(|error| within(error, "system"))?;
        if !blocks.is_empty() {
            turns.push(Turn::new(Role::System, blocks));
        }
    }
    let messages = required(body, "messages", "a list of messages", |value| match value {
        Value::Array(messages) if !messages.is_empty() => Some(messages),
        _ => None,
    })?;
    for (index, message) in messages.into_iter().enumerate() {
        let turn = read_turn(message);
        turns.push(turn.map_err(|error| within(error, format_args!("messages[{index}]")))?);
    }
    Ok(turns)
}

fn read_turn(message: Value) -> Result<Turn, Malformed> {
    let mut message = into_object(message).ok_or_else(|| wrong("", "an object"))?;
    let role =
        required(&mut message, "role", "`user`, `assistant` or `system`", |role| {
            match role.as_str()? {
                "user" => Some(Role::User),
                "assistant" => Some(Role::Assistant),
                "system" => Some(Role::System),
                _ => None,
            }
        })?;
    let content = required(&mut message, "content", "a string or a list of blocks", Some)?;
    let blocks = read_content(content).map_err(|error| within(error, "content"))?;
    Ok(Turn::new(role, blocks))
}
