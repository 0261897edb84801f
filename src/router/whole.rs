//! Reads an answer that is no stream whole, up to a bound.
use super::leaf::LeafBody;
use crate::forward::ForwardError;
use crate::providers::Hold;
use bartizan_layers::BoxError;
use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;

/// Longer answers are passed on as they come: 1 MiB.
const LONGEST: usize = 1 << 20;

/// An answer, or its beginning.
pub(super) enum Collected {
    /// All of it.
    Whole(Bytes),
    /// The beginning of one that is longer than the bound, or than memory allows.
    Longer(Vec<Bytes>),
}

/// Reads `body` while `held` allows for its bytes.
pub(super) async fn collect(body: &mut LeafBody, held: &dyn Hold) -> Result<Collected, BoxError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > LONGEST {
        return Ok(Collected::Longer(Vec::new()));
    }
    let mut first = Bytes::new();
    let mut rest = Vec::new();
    let mut len = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        len += data.len();
        let fits = len <= LONGEST && held.hold_more(data.len());
        if first.is_empty() {
            first = data;
        } else {
            rest.push(data);
        }
        if !fits {
            rest.insert(0, first);
            return Ok(Collected::Longer(rest));
        }
        // With a content length, the end is known before it is asked for.
        if body.is_end_stream() {
            break;
        }
    }
    Ok(Collected::Whole(joined(first, &rest, len)))
}

/// Reads all of `body`; `None` where memory does not allow for it and for what becomes of it.
pub(super) async fn collect_all(
    mut body: LeafBody,
    held: &dyn Hold,
) -> Result<Option<Bytes>, ForwardError> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(broken)?;
        let Ok(data) = frame.into_data() else { continue };
        // Read, taken apart and written.
        if whole.len() + data.len() > MOST || !held.hold_more(3 * data.len()) {
            return Ok(None);
        }
        whole.extend_from_slice(&data);
    }
    Ok(Some(whole.freeze()))
}

/// The longest answer that is translated: 64 MiB.
const MOST: usize = 64 << 20;

fn broken(error: BoxError) -> ForwardError {
    error.downcast().map_or_else(ForwardError::AnswerBody, |error| *error)
}

/// One frame is not copied.
fn joined(first: Bytes, rest: &[Bytes], len: usize) -> Bytes {
    if rest.is_empty() {
        return first;
    }
    let mut whole = BytesMut::with_capacity(len);
    whole.extend_from_slice(&first);
    for frame in rest {
        whole.extend_from_slice(frame);
    }
    whole.freeze()
}
