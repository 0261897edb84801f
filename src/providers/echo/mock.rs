//! `mock_response`: an answer that a config fixes, or the error that it stands for (contract 2.7).
use super::prompt::Said;
use super::{answered, json, openai, spoken};
use crate::providers::{Operation, Problem, Prompt};
use bartizan_layers::body::Body;
use http::{Response, StatusCode};
use serde_json::{Value, json};

/// A fixed answer. Its usage is always 10 tokens read and 20 written.
#[derive(Clone, Debug)]
pub struct Mock {
    text: String,
    model: String,
    /// A list of numbers is the vector of embeddings.
    vector: Option<Vec<f32>>,
    error: Option<Problem>,
}

const READ: usize = 10;
const WRITTEN: usize = 20;

impl Mock {
    /// The answer that `text` stands for: itself, or an error if it is the name of one of LiteLLM's
    /// classes (`litellm.RateLimitError`).
    #[must_use]
    pub fn new(text: &str, model: &str) -> Self {
        Self {
            text: text.to_owned(),
            model: model.to_owned(),
            vector: serde_json::from_str(text).ok(),
            error: error(text),
        }
    }

    /// Answers a prompt in the format that its operation has.
    #[must_use]
    pub fn answer(&self, operation: &Operation, prompt: &Prompt) -> Response<Body> {
        if let Some(problem) = &self.error {
            let body = operation.dialect().error_body(problem);
            let mut rsp = answered("application/json", Body::Full(body));
            *rsp.status_mut() = problem.status;
            return rsp;
        }
        let request: Value = serde_json::from_slice(&prompt.text.whole()).unwrap_or_default();
        if *operation == Operation::Embeddings {
            return json(&self.embeddings(&request));
        }
        let said = Said {
            text: self.text.clone(),
            input_tokens: READ,
            output_tokens: WRITTEN,
            model: self.model_of(&request).to_owned(),
        };
        // Nothing else of the request changes the answer.
        let request = json!({"stream_options": request.get("stream_options")});
        spoken(operation, prompt.stream, &request, &said)
    }

    /// The model as the provider would know it. Gemini's requests do not name theirs.
    fn model_of<'a>(&'a self, request: &'a Value) -> &'a str {
        request.get("model").and_then(Value::as_str).unwrap_or(&self.model)
    }

    fn embeddings(&self, request: &Value) -> Value {
        let mut answer = openai::embeddings(request);
        answer["model"] = self.model_of(request).into();
        answer["usage"] = json!({"prompt_tokens": READ, "total_tokens": READ});
        let base64 = request.get("encoding_format").and_then(Value::as_str) == Some("base64");
        let items = answer.get_mut("data").and_then(Value::as_array_mut);
        for (item, vector) in items.into_iter().flatten().zip(std::iter::repeat(&self.vector)) {
            if let Some(vector) = vector {
                item["embedding"] =
                    if base64 { openai::encoded(vector).into() } else { json!(vector) };
            }
        }
        answer
    }
}

/// The error that a text stands for.
fn error(text: &str) -> Option<Problem> {
    if text.starts_with("Exception: content_filter_policy") {
        let message = format!("litellm.ContentPolicyViolationError: {text}");
        return Some(Problem::bad_request(message));
    }
    let status = match text.strip_prefix("litellm.")? {
        "BadRequestError" | "ContextWindowExceededError" | "ContentPolicyViolationError" => 400,
        "AuthenticationError" => 401,
        "PermissionDeniedError" => 403,
        "NotFoundError" => 404,
        "Timeout" => 408,
        "UnprocessableEntityError" => 422,
        "RateLimitError" => 429,
        "InternalServerError" | "APIError" | "APIConnectionError" => 500,
        "BadGatewayError" => 502,
        "ServiceUnavailableError" => 503,
        _ => return None,
    };
    let status = StatusCode::from_u16(status).ok()?;
    Some(Problem::new(status, format!("{text}: this is a mock {}", words(text))))
}

/// `litellm.RateLimitError` is a `rate limit error`.
fn words(class: &str) -> String {
    let name = class.trim_start_matches("litellm.");
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}
