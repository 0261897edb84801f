//! A client's request, read.
use super::super::member::{count, list, members, missing, number, text, truth, wrong};
use super::{input, tools};
use crate::providers::chat::{Format, Malformed, Request, Sampling, Taking, Thinking};
use serde_json::{Map, Value};

/// What `include` says for probabilities.
pub(super) const LOGPROBS: &str = "message.output_text.logprobs";

/// What may stand for an `input`: the conversation is elsewhere then.
const INSTEAD: [&str; 3] = ["previous_response_id", "conversation", "prompt"];

/// Reads a request for a response. `instructions` become the first turn. Members that only some
/// servers know stay in [`Request::rest`]; `text.verbosity` stands there by its name in chats.
///
/// # Errors
/// When a member that OpenAI knows is of another type than OpenAI takes.
pub fn read_request(mut body: Map<String, Value>) -> Result<Request, Malformed> {
    let body = &mut body;
    body.take("model");
    let input = body.take("input");
    if input.is_none()
        && !INSTEAD.iter().any(|name| body.get(*name).is_some_and(|it| !it.is_null()))
    {
        return Err(missing("", "input"));
    }
    let (turns, added) = input::read(body.take("instructions"), input)?;
    let mut told = members(body, "", "text")?;
    let format = format(&mut told)?;
    if let Some(verbosity) = told.take("verbosity") {
        body.insert("verbosity".to_owned(), verbosity);
    }
    keep(body, "text", told);
    let user = text(body, "", "user")?;
    let user = match user {
        None => text(body, "", "safety_identifier")?,
        user => user,
    };
    Ok(Request {
        turns,
        tools: [tools::read(list(body, "", "tools")?, "tools")?, added].concat(),
        tool_choice: tools::read_choice(body)?,
        parallel_tools: truth(body, "", "parallel_tool_calls")?,
        format,
        sampling: sampling(body)?,
        thinking: thinking(body)?,
        stream: truth(body, "", "stream")?.unwrap_or(false),
        // Responses always tell it.
        stream_usage: true,
        user,
        metadata: metadata(body)?,
        rest: std::mem::take(body),
    })
}

/// Puts back what nobody knew of a member.
fn keep(body: &mut Map<String, Value>, name: &str, left: Map<String, Value>) {
    if !left.is_empty() {
        body.insert(name.to_owned(), Value::Object(left));
    }
}

fn metadata(body: &mut Map<String, Value>) -> Result<Option<Value>, Malformed> {
    match body.take("metadata") {
        Some(other) if !other.is_object() => Err(wrong("metadata".to_owned(), "an object", &other)),
        told => Ok(told),
    }
}

fn sampling(body: &mut Map<String, Value>) -> Result<Sampling, Malformed> {
    let mut include = list(body, "", "include")?;
    let logprobs = include.iter().any(|name| name == LOGPROBS);
    include.retain(|name| name != LOGPROBS);
    if !include.is_empty() {
        body.insert("include".to_owned(), Value::Array(include));
    }
    Ok(Sampling {
        max_tokens: count(body, "max_output_tokens")?,
        temperature: number(body, "temperature")?,
        top_p: number(body, "top_p")?,
        presence_penalty: number(body, "presence_penalty")?,
        frequency_penalty: number(body, "frequency_penalty")?,
        logprobs: logprobs.then_some(true),
        // Its default is 0.
        top_logprobs: count(body, "top_logprobs")?.filter(|count| *count > 0),
        ..Sampling::default()
    })
}

/// `reasoning`: a summary that is asked for says that thoughts are to be seen.
fn thinking(body: &mut Map<String, Value>) -> Result<Option<Thinking>, Malformed> {
    let mut told = members(body, "", "reasoning")?;
    let effort = text(&mut told, "reasoning", "effort")?;
    let summary = text(&mut told, "reasoning", "summary")?;
    let older = text(&mut told, "reasoning", "generate_summary")?;
    keep(body, "reasoning", told);
    let shown = summary.or(older).map(|_| true);
    let read = Thinking { effort, shown, ..Thinking::default() };
    Ok((read != Thinking::default()).then_some(read))
}

fn format(told: &mut Map<String, Value>) -> Result<Option<Format>, Malformed> {
    let place = "text.format";
    let mut told = members(told, "text", "format")?;
    let kind = text(&mut told, place, "type")?;
    match kind.as_deref() {
        None if told.is_empty() => Ok(None),
        None => Err(missing(place, "type")),
        Some("text") => Ok(None),
        Some("json_object") => Ok(Some(Format::Json)),
        Some("json_schema") => Ok(Some(Format::Schema {
            name: text(&mut told, place, "name")?,
            description: text(&mut told, place, "description")?,
            schema: told.take("schema").ok_or_else(|| missing(place, "schema"))?,
            strict: truth(&mut told, place, "strict")?,
        })),
        Some(other) => {
            let known = "use `text`, `json_object` or `json_schema`";
            Err(Malformed::new(place, format!("`{place}.type` is `{other}`: {known}.")))
        }
    }
}
