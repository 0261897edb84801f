//! A client's request, read.
use super::{tools, turns};
use crate::providers::chat::{Format, Malformed, Request, Sampling, Taking, Thinking};
use serde_json::{Map, Value};

/// Reads a chat completion's request.
///
/// # Errors
/// When a member that OpenAI knows is of another type than OpenAI takes.
pub fn read_request(mut body: Map<String, Value>) -> Result<Request, Malformed> {
    let body = &mut body;
    let Some(Value::Array(messages)) = body.take("messages") else {
        return Err(Malformed::new("messages", "`messages` must be an array of messages."));
    };
    body.remove("model");
    let stream_usage = body
        .take_object("stream_options")
        .and_then(|mut options| options.take_bool("include_usage"));
    Ok(Request {
        turns: turns::read(messages)?,
        tools: tools::read(body)?,
        tool_choice: tools::read_choice(body)?,
        parallel_tools: body.take_bool("parallel_tool_calls"),
        format: format(body)?,
        sampling: sampling(body)?,
        thinking: thinking(body),
        stream: body.take_bool("stream").unwrap_or(false),
        stream_usage: stream_usage.unwrap_or(false),
        user: body.take_text("user"),
        metadata: body.take("metadata"),
        rest: std::mem::take(body),
    })
}

fn sampling(body: &mut Map<String, Value>) -> Result<Sampling, Malformed> {
    let either = body.take_count("max_tokens");
    let max_tokens = body.take_count("max_completion_tokens").or(either);
    let stop = match body.take("stop") {
        None => Vec::new(),
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => {
            many.into_iter().map(text_in("stop")).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(Malformed::new("stop", "`stop` must be a text or a list of texts.")),
    };
    Ok(Sampling {
        max_tokens,
        temperature: body.take_number("temperature"),
        top_p: body.take_number("top_p"),
        top_k: body.take_number("top_k"),
        stop,
        seed: body.take("seed").and_then(|seed| seed.as_i64()),
        presence_penalty: body.take_number("presence_penalty"),
        frequency_penalty: body.take_number("frequency_penalty"),
        choices: body.take_count("n").and_then(|n| u32::try_from(n).ok()).filter(|n| *n != 1),
        logprobs: body.take_bool("logprobs"),
        top_logprobs: body.take_count("top_logprobs"),
        logit_bias: body.take("logit_bias"),
    })
}

fn text_in(param: &'static str) -> impl Fn(Value) -> Result<String, Malformed> {
    move |value| match value {
        Value::String(text) => Ok(text),
        _ => Err(Malformed::new(param, format!("`{param}` must hold texts only."))),
    }
}

/// `reasoning_effort`, and what other providers call it: OpenRouter's `reasoning`, Anthropic's
/// and Cohere's `thinking`.
fn thinking(body: &mut Map<String, Value>) -> Option<Thinking> {
    let effort = body.take_text("reasoning_effort");
    let mut reasoning = body.take_object("reasoning").unwrap_or_default();
    let mut thinking = body.take_object("thinking").unwrap_or_default();
    let switch = thinking.take_text("type").map(|kind| kind != "disabled");
    let hidden = reasoning.take_bool("exclude").map(|exclude| !exclude);
    let read = Thinking {
        effort: effort.or_else(|| reasoning.take_text("effort")),
        budget: thinking
            .take_count("budget_tokens")
            .or_else(|| thinking.take_count("token_budget"))
            .or_else(|| reasoning.take_count("max_tokens")),
        on: switch.or_else(|| reasoning.take_bool("enabled")),
        shown: hidden,
    };
    (read != Thinking::default()).then_some(read)
}

fn format(body: &mut Map<String, Value>) -> Result<Option<Format>, Malformed> {
    let Some(mut told) = body.take_object("response_format") else { return Ok(None) };
    let kind = told.take_text("type").unwrap_or_default();
    match kind.as_str() {
        "text" => Ok(None),
        "json_object" => Ok(Some(match told.take("response_schema") {
            // Gemini's clients write it so.
            Some(schema) => Format::Schema { name: None, description: None, schema, strict: None },
            None => Format::Json,
        })),
        "json_schema" => {
            let param = "response_format.json_schema";
            let missing =
                || Malformed::new(param, format!("`{param}` must be an object with a `schema`."));
            let mut told = told.take_object("json_schema").ok_or_else(missing)?;
            Ok(Some(Format::Schema {
                name: told.take_text("name"),
                description: told.take_text("description"),
                schema: told.take("schema").ok_or_else(missing)?,
                strict: told.take_bool("strict"),
            }))
        }
        other => Err(Malformed::new(
            "response_format.type",
            format!(
                "`response_format.type` is `{other}`: use `text`, `json_object` or `json_schema`."
            ),
        )),
    }
}
