//! What a handler answers when it does not do what it was asked.
use crate::identity::Denied;
use crate::store::StoreError;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

/// Why a request is refused, in one of the shapes that LiteLLM has for it.
#[derive(Clone, Debug)]
pub struct Refusal {
    status: StatusCode,
    body: Value,
    /// Whether it is the store that cannot do it.
    of_store: bool,
}

impl Refusal {
    /// `{"error": {"message", "type", "param", "code"}}`.
    #[must_use]
    pub fn error(status: StatusCode, kind: &str, message: impl Into<String>) -> Self {
        let (message, code) = (message.into(), status.as_str());
        let body =
            json!({"error": {"message": message, "type": kind, "param": null, "code": code}});
        Self { status, body, of_store: false }
    }

    /// The same about one field of the request.
    #[must_use]
    pub fn param(mut self, param: &str) -> Self {
        if let Some(slot) = self.body.pointer_mut("/error/param") {
            *slot = param.into();
        }
        self
    }

    /// `{"detail": …}`, as FastAPI has it.
    #[must_use]
    pub fn detail(status: StatusCode, detail: impl Into<Value>) -> Self {
        Self { status, body: json!({"detail": detail.into()}), of_store: false }
    }

    /// Whether it is the store that cannot do it, now or at all.
    #[must_use]
    pub const fn is_of_store(&self) -> bool {
        self.of_store
    }

    /// What it says, where it is a part of a longer answer.
    #[must_use]
    pub fn message(&self) -> String {
        let told = ["/error/message", "/detail/error", "/detail/0/msg", "/detail"];
        let told = told.iter().find_map(|place| self.body.pointer(place));
        told.map_or_else(String::new, |told| match told {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    /// The caller's own mistake.
    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::error(StatusCode::BAD_REQUEST, "bad_request_error", message)
    }

    /// Nothing has that id.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::error(StatusCode::NOT_FOUND, "not_found_error", message)
    }

    /// The caller may not do that.
    #[must_use]
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::error(StatusCode::FORBIDDEN, "auth_error", message)
    }

    /// A field is not what it has to be: 422, as FastAPI tells it.
    #[must_use]
    pub fn invalid(place: &[&str], message: &str) -> Self {
        let detail = json!([{"type": "value_error", "loc": place, "msg": message}]);
        Self::detail(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut rsp = Response::new(Body::from(self.body.to_string()));
        *rsp.status_mut() = self.status;
        let json = HeaderValue::from_static("application/json");
        rsp.headers_mut().insert(header::CONTENT_TYPE, json);
        rsp
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Away(_) => {
                tracing::warn!(%error, "A change was refused: the store is away");
                let message = "The store of keys and spend cannot be reached. Nothing was changed; try again.";
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Self { of_store: true, ..Self::error(status, "no_db_connection", message) }
            }
            StoreError::Exists => Self::bad_request("It exists already."),
            _ => {
                tracing::error!(%error, source = ?std::error::Error::source(&error), "The store failed");
                let message = "The store failed; the log says why. Nothing was changed.";
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                Self { of_store: true, ..Self::error(status, "internal_server_error", message) }
            }
        }
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Self::forbidden(denied.to_string())
    }
}
