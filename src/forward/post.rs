//! Short messages to places that the operator names.
use super::Forwarder;
use super::error::ForwardError;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::BodyExt;
use std::time::Duration;

/// How long one message may take, connecting included.
const LONGEST: Duration = Duration::from_secs(10);
/// What is read of an answer, so that its connection can be used again.
const MOST_BYTES: usize = 64 * 1024;

impl Forwarder {
    /// Posts JSON to a URL, and tells the status of the answer, of which nothing else is kept.
    ///
    /// # Errors
    ///
    /// [`ForwardError`], whose text names the host at most: the rest of such a URL is a secret.
    pub async fn post_json(&self, url: &Uri, json: Bytes) -> Result<StatusCode, Box<ForwardError>> {
        let mut request = Request::new(json);
        (*request.method_mut(), *request.uri_mut()) = (Method::POST, url.clone());
        let kind = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, kind);
        let answer = self.begin(request, LONGEST).await;
        let (head, mut body) = answer.map_err(Box::new)?.into_parts();
        let mut read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > MOST_BYTES {
                break;
            }
        }
        Ok(head.status)
    }
}
