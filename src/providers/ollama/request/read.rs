//! A client's request.
use super::{asked, messages};
use crate::providers::chat::fields::{
    Object, count, flag, into_object, list, required_text, text, within, wrong,
};
use crate::providers::chat::{
    Block, Format, Function, Malformed, Request, Role, Sampling, Taking, Thinking, Tool, Turn,
};
use serde_json::Value;

/// Reads a request for `/api/chat`. The model is left to the caller, who has found it already.
///
/// # Errors
/// What Ollama refuses too: a member is of the wrong type.
pub fn read_request(mut body: Object) -> Result<Request, Malformed> {
    let turns = messages::read(list(&mut body, "messages")?)?;
    let tools = list(&mut body, "tools")?.into_iter().enumerate().map(|(index, tool)| {
        read_tool(tool).map_err(|error| within(error, format_args!("tools[{index}]")))
    });
    let tools = tools.collect::<Result<_, _>>()?;
    Ok(Request { turns, tools, ..read_rest(body)? })
}

/// Reads a request for `/api/generate`: one turn, which is the model's to answer.
///
/// # Errors
/// As [`read_request`].
pub fn read_generate(mut body: Object) -> Result<Request, Malformed> {
    let mut turns = Vec::new();
    let mut said = |role, blocks: Vec<Block>| {
        if !blocks.is_empty() {
            turns.push(Turn::new(role, blocks));
        }
    };
    let full = |text: &String| !text.is_empty();
    said(
        Role::System,
        text(&mut body, "system")?.filter(full).map(Block::text).into_iter().collect(),
    );
    let mut blocks = messages::pictures(list(&mut body, "images")?)?;
    blocks.extend(text(&mut body, "prompt")?.filter(full).map(Block::text));
    said(Role::User, blocks);
    // What goes around a prompt is nothing if it is empty.
    for name in ["suffix", "template", "context"] {
        if body
            .get(name)
            .is_some_and(|told| told == "" || told.as_array().is_some_and(Vec::is_empty))
        {
            body.take(name);
        }
    }
    Ok(Request { turns, ..read_rest(body)? })
}

/// What both have, and at last what is left.
fn read_rest(mut body: Object) -> Result<Request, Malformed> {
    body.take("model");
    let mut request = Request {
        stream: flag(&mut body, "stream")?.unwrap_or(true),
        // The last line of each stream tells it.
        stream_usage: true,
        format: body.take("format").map(read_format).transpose()?.flatten(),
        thinking: body.take("think").map(read_think).transpose()?,
        ..Request::default()
    };
    let (logprobs, top_logprobs) =
        (flag(&mut body, "logprobs")?, count(&mut body, "top_logprobs")?);
    request.sampling = Sampling { logprobs, top_logprobs, ..asked::read(&mut body)? };
    if body.get("raw") == Some(&Value::Bool(false)) {
        body.take("raw");
    }
    request.rest = body;
    Ok(request)
}

/// A function; what is none may mean something to the provider.
fn read_tool(tool: Value) -> Result<Tool, Malformed> {
    let mut tool = into_object(tool).ok_or_else(|| wrong("", "an object"))?;
    let Some(mut function) = tool.take_object("function") else {
        return Ok(Tool::Hosted(tool.into()));
    };
    let mut read = || {
        Ok(Function {
            name: required_text(&mut function, "name")?,
            description: text(&mut function, "description")?,
            schema: function.take("parameters"),
            ..Function::default()
        })
    };
    read().map(Tool::Function).map_err(|error| within(error, "function"))
}

/// `json`, or a schema; an empty text is neither.
fn read_format(told: Value) -> Result<Option<Format>, Malformed> {
    match told {
        Value::String(word) if word == "json" => Ok(Some(Format::Json)),
        Value::String(word) if word.is_empty() => Ok(None),
        schema @ Value::Object(_) => {
            Ok(Some(Format::Schema { name: None, description: None, schema, strict: None }))
        }
        _ => Err(wrong("format", "`json` or a JSON schema")),
    }
}

/// Whether, or how much.
fn read_think(told: Value) -> Result<Thinking, Malformed> {
    match told {
        Value::Bool(on) => Ok(Thinking { on: Some(on), ..Thinking::default() }),
        Value::String(effort) if ["low", "medium", "high", "max"].contains(&effort.as_str()) => {
            Ok(Thinking { on: Some(true), effort: Some(effort), ..Thinking::default() })
        }
        _ => Err(wrong("think", "true, false, `low`, `medium`, `high` or `max`")),
    }
}
