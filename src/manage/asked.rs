//! What a request says.
use super::Refusal;
use crate::store::Doc;
use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The largest body in bytes: nothing here is long.
const LARGEST: usize = 4 << 20;

/// The JSON object of a request's body, as its fields and as it was written: there a field that is
/// `null` differs from one that is missing. An empty body is an empty object.
#[derive(Clone, Debug)]
pub struct Asked<T> {
    /// The fields that the route knows.
    pub fields: T,
    /// All members.
    pub doc: Doc,
}

impl<T: DeserializeOwned> Asked<T> {
    /// What an object says.
    ///
    /// # Errors
    ///
    /// 422, if a field is not what it has to be.
    pub fn of(doc: Doc) -> Result<Self, Refusal> {
        let fields = typed(Value::Object(doc.clone()), "body")?;
        Ok(Self { fields, doc })
    }
}

impl<T: Serialize> Asked<T> {
    /// What the request says of the fields that the route keeps, `null` included.
    pub fn said(&self) -> Doc {
        match serde_json::to_value(&self.fields) {
            Ok(Value::Object(mut known)) => {
                known.retain(|name, _| self.doc.contains_key(name));
                known
            }
            _ => Doc::new(),
        }
    }
}

impl<T> Asked<T> {
    /// The same members as other fields.
    ///
    /// # Errors
    ///
    /// 422, if one is not what it has to be.
    pub fn also<M: DeserializeOwned>(&self) -> Result<M, Refusal> {
        typed(Value::Object(self.doc.clone()), "body")
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request(req: Request, _: &S) -> Result<Self, Refusal> {
        let body = to_bytes(req.into_body(), LARGEST).await.map_err(|_| {
            let message = format!("The request body is larger than {LARGEST} bytes.");
            Refusal::error(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request_error", message)
        })?;
        Self::of(object(&body)?)
    }
}

fn object(body: &Bytes) -> Result<Doc, Refusal> {
    if body.trim_ascii().is_empty() {
        return Ok(Doc::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(doc)) => Ok(doc),
        Ok(_) => Err(Refusal::invalid(&["body"], "Input should be a JSON object")),
        Err(error) => {
            let message = format!("JSON decode error: {error}");
            Err(Refusal::invalid(&["body"], &message))
        }
    }
}

/// The parameters of a request's query. One that stands several times becomes a list where a list
/// is expected; empty ones count as missing.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let query = parts.uri.query().unwrap_or_default();
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(fields)| Self(fields))
            .map_err(|error| {
                let message = format!("{}: {query}", error.body_text());
                Refusal::invalid(&["query"], &message)
            })
    }
}

fn typed<T: DeserializeOwned>(value: Value, place: &str) -> Result<T, Refusal> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().to_string();
        Refusal::invalid(&[place, &path], &message)
    })
}
