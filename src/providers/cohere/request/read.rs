//! A client's request.
use super::{documents, messages};
use crate::providers::chat::fields::{
    Object, count, flag, into_list, into_object, into_text, list, nested, number, optional,
    required, required_text, text, within, wrong,
};
use crate::providers::chat::{
    Format, Function, Malformed, Request, Sampling, Taking, Thinking, Tool, ToolChoice,
};
use serde_json::Value;

/// Reads a request for `/v2/chat`. The model is left to the caller, who has found it already.
///
/// # Errors
/// What Cohere refuses too: a required member is missing, or one is of the wrong type.
pub fn read_request(mut body: Object) -> Result<Request, Malformed> {
    body.take("model");
    let told = required(&mut body, "messages", "a list of messages", into_list)?;
    let mut turns = messages::read(told)?;
    documents::attach(list(&mut body, "documents")?, &mut turns)?;
    let strict = flag(&mut body, "strict_tools")?;
    let tools = list(&mut body, "tools")?.into_iter().enumerate().map(|(index, tool)| {
        let tool = read_tool(tool, strict);
        tool.map_err(|error| within(error, format_args!("tools[{index}]")))
    });
    let mut request = Request {
        turns,
        tools: tools.collect::<Result<_, _>>()?,
        tool_choice: optional(&mut body, "tool_choice", "`REQUIRED` or `NONE`", |told| {
            read_choice(&told)
        })?,
        sampling: read_sampling(&mut body)?,
        stream: flag(&mut body, "stream")?.unwrap_or_default(),
        // The last event of each stream tells it.
        stream_usage: true,
        ..Request::default()
    };
    let format = nested(&mut body, "response_format")?.map(read_format).transpose();
    request.format = format.map_err(|error| within(error, "response_format"))?.flatten();
    let thinking = nested(&mut body, "thinking")?.map(read_thinking).transpose();
    request.thinking = thinking.map_err(|error| within(error, "thinking"))?;
    // Others cite, where they can, without being asked.
    request.rest = body;
    Ok(request)
}

fn read_tool(tool: Value, strict: Option<bool>) -> Result<Tool, Malformed> {
    let mut tool = into_object(tool).ok_or_else(|| wrong("", "an object"))?;
    let Some(mut function) = tool.take_object("function") else {
        return Ok(Tool::Hosted(tool.into()));
    };
    let mut read = || {
        Ok(Function {
            name: required_text(&mut function, "name")?,
            description: text(&mut function, "description")?,
            schema: function.take("parameters"),
            strict,
            ..Function::default()
        })
    };
    read().map(Tool::Function).map_err(|error| within(error, "function"))
}

fn read_choice(told: &Value) -> Option<ToolChoice> {
    match told.as_str()? {
        "REQUIRED" => Some(ToolChoice::Required),
        "NONE" => Some(ToolChoice::None),
        _ => None,
    }
}

fn read_sampling(body: &mut Object) -> Result<Sampling, Malformed> {
    let stop = list(body, "stop_sequences")?.into_iter().map(into_text);
    let stop = stop.collect::<Option<Vec<String>>>();
    let seed = optional(body, "seed", "a whole number", |told| told.as_i64())?;
    Ok(Sampling {
        max_tokens: count(body, "max_tokens")?,
        temperature: number(body, "temperature")?,
        top_p: number(body, "p")?,
        // None of them is no limit.
        top_k: number(body, "k")?.filter(|count| *count > 0.0),
        stop: stop.ok_or_else(|| wrong("stop_sequences", "a list of strings"))?,
        seed,
        presence_penalty: number(body, "presence_penalty")?,
        frequency_penalty: number(body, "frequency_penalty")?,
        logprobs: flag(body, "logprobs")?,
        ..Sampling::default()
    })
}

fn read_format(mut told: Object) -> Result<Option<Format>, Malformed> {
    match required_text(&mut told, "type")?.as_str() {
        "text" => Ok(None),
        "json_object" => {
            let schema = nested(&mut told, "json_schema")?.or(nested(&mut told, "schema")?);
            Ok(Some(schema.map_or(Format::Json, |schema| Format::Schema {
                name: None,
                description: None,
                schema: schema.into(),
                strict: None,
            })))
        }
        _ => Err(wrong("type", "`text` or `json_object`")),
    }
}

fn read_thinking(mut told: Object) -> Result<Thinking, Malformed> {
    let on = match required_text(&mut told, "type")?.as_str() {
        "enabled" => true,
        "disabled" => false,
        _ => return Err(wrong("type", "`enabled` or `disabled`")),
    };
    let budget = count(&mut told, "token_budget")?;
    Ok(Thinking { on: Some(on), budget, ..Thinking::default() })
}
