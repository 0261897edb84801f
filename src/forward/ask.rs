//! Questions to servers of the operator that have short answers: token endpoints, metadata.
use super::error::ForwardError;
use super::fetch::origin_of;
use super::{Deadlines, Forwarder, UpstreamBody};
use bartizan_layers::body::Body;
use bytes::{Bytes, BytesMut};
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use std::time::Duration;

/// How long one question may take, connecting included.
const LONGEST: Duration = Duration::from_secs(10);
/// Bytes of an answer.
const MOST_BYTES: usize = 1 << 20;

impl Forwarder {
    /// Sends a request to the URL that it names, and reads the answer whole: within 10 s and
    /// 1 MiB. It goes the way of all calls of the operator: its proxies, its certificates.
    /// Redirects are not followed.
    ///
    /// # Errors
    /// [`ForwardError`]; no message holds more of the URL than its host.
    pub async fn ask(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ForwardError> {
        let (head, mut body) = self.begin(request, LONGEST).await?.into_parts();
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            if bytes.len() + data.len() > MOST_BYTES {
                let words = format!("it has more than {MOST_BYTES} bytes");
                return Err(ForwardError::AnswerBody(words.into()));
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Response::from_parts(head, bytes.freeze()))
    }

    /// Sends a request to the URL that it names, and waits for the beginning of its answer.
    pub(super) async fn begin(
        &self,
        request: Request<Bytes>,
        longest: Duration,
    ) -> Result<Response<UpstreamBody>, ForwardError> {
        let (mut head, body) = request.into_parts();
        let origin = origin_of(&head.uri).unwrap_or_default();
        head.uri = head.uri.into_parts().path_and_query.map_or_else(Uri::default, Uri::from);
        let request = Request::from_parts(head, Body::from(body));
        let deadlines = Deadlines { first_byte: longest, idle: longest, total: Some(longest) };
        self.upstream(&origin).send_within(request, deadlines).await
    }
}
