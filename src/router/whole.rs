//! Reads an answer that is no stream whole, up to a bound.
use super::leaf::LeafBody;
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
    /// It is longer than the bound, or than memory allows: its beginning, and the rest.
    Longer(Vec<Bytes>, LeafBody),
}

/// Reads `body` while `held` allows for its bytes.
pub(super) async fn collect(mut body: LeafBody, held: &dyn Hold) -> Result<Collected, BoxError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > LONGEST {
        return Ok(Collected::Longer(Vec::new(), body));
    }
    let mut frames = Vec::new();
    let mut len = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        len += data.len();
        let fits = len <= LONGEST && held.hold_more(data.len());
        frames.push(data);
        if !fits {
            return Ok(Collected::Longer(frames, body));
        }
        // With a content length, the end is known before it is asked for.
        if body.is_end_stream() {
            break;
        }
    }
    Ok(Collected::Whole(joined(frames, len)))
}

/// One frame is not copied.
fn joined(mut frames: Vec<Bytes>, len: usize) -> Bytes {
    if frames.len() == 1 {
        return frames.swap_remove(0);
    }
    let mut whole = BytesMut::with_capacity(len);
    for frame in frames {
        whole.extend_from_slice(&frame);
    }
    whole.freeze()
}
