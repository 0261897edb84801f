//! OpenAI completions of plain text, for models that only chat: the prompt is what the user says.
mod stream;

pub use self::stream::Writer;

use crate::providers::chat::{
    Answer, Block, Client, Content, Finish, Malformed, Request, Role, Taking, Turn,
};
use crate::providers::openai::chat;
use serde_json::{Map, Value, json};

/// Reads a request. Its other members are those of a chat completion.
///
/// # Errors
/// When the prompt is not one text: models that only chat know no tokens, and answer one prompt.
pub fn read_request(mut body: Map<String, Value>) -> Result<Request, Malformed> {
    let prompt = match body.take("prompt") {
        Some(Value::String(prompt)) => prompt,
        Some(Value::Array(mut prompts)) if prompts.len() == 1 => match prompts.pop() {
            Some(Value::String(prompt)) => prompt,
            _ => return Err(unfit()),
        },
        _ => return Err(unfit()),
    };
    // A count here, a switch there.
    if let Some(count) = body.take("logprobs") {
        body.insert("logprobs".to_owned(), true.into());
        body.insert("top_logprobs".to_owned(), count);
    }
    body.insert("messages".to_owned(), Value::Array(Vec::new()));
    let mut request = chat::read_request(body)?;
    request.turns = vec![Turn::new(Role::User, vec![Block::text(prompt)])];
    Ok(request)
}

fn unfit() -> Malformed {
    let message = "`prompt` must be one text: this model is asked by chat, which has no place for \
                   several prompts or for tokens.";
    Malformed::new("prompt", message)
}

/// Why an answer ends. Text has no calls: an answer that makes some is done.
fn write_finish(finish: &Finish) -> &'static str {
    match finish {
        Finish::Tools => chat::write_finish(&Finish::Stop),
        finish => chat::write_finish(finish),
    }
}

/// Writes a completion.
#[must_use]
pub fn write_answer(answer: Answer, client: &Client) -> Value {
    let mut told = chat::write_answer(answer.clone(), client);
    let choices: Vec<Value> = (0_u32..)
        .zip(answer.choices)
        .map(|(index, choice)| {
            let texts = choice.blocks.into_iter().filter_map(|block| match block.content {
                Content::Text(text, _) | Content::Refusal(text) => Some(text),
                _ => None,
            });
            let finish = write_finish(&choice.finish.unwrap_or(Finish::Stop));
            let text: String = texts.collect();
            json!({"text": text, "index": index, "logprobs": null, "finish_reason": finish})
        })
        .collect();
    told["object"] = "text_completion".into();
    told["choices"] = choices.into();
    told
}
