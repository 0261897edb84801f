//! A call on its way through its groups and attempts.
use crate::providers::Prompt;
use bartizan_layers::fallback::FallbackOverride;
use bartizan_layers::retry::RetryOverride;
use http::request::Parts;
use http::{Extensions, HeaderMap, Request};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// What the client asked for. Clones share its head: what is kept for another attempt is no copy
/// of headers and facts, for most calls need no other.
#[derive(Clone)]
pub(super) struct Asked {
    head: Arc<Parts>,
    prompt: Prompt,
}

impl Asked {
    /// The request of a first attempt. It has no headers; its own facts are those that differ
    /// between attempts, or decide of them.
    pub(super) fn request(req: Request<Prompt>) -> Request<Self> {
        let (mut head, prompt) = req.into_parts();
        let mut own = Extensions::new();
        if let Some(retries) = head.extensions.remove::<RetryOverride>() {
            own.insert(retries);
        }
        if let Some(fallbacks) = head.extensions.remove::<FallbackOverride>() {
            own.insert(fallbacks);
        }
        let mut req = Request::new(Self { head: Arc::new(head), prompt });
        *req.extensions_mut() = own;
        req
    }

    /// The request of another attempt.
    pub(super) fn again(req: &Request<Self>) -> Request<Self> {
        // All else is in the body.
        let mut again = Request::new(req.body().clone());
        *again.extensions_mut() = req.extensions().clone();
        again
    }

    /// What is known of the call, whichever attempt it is.
    pub(super) fn facts(&self) -> &Extensions {
        &self.head.extensions
    }

    /// The client's headers.
    pub(super) fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    pub(super) fn into_parts(self) -> (Arc<Parts>, Prompt) {
        (self.head, self.prompt)
    }
}

/// Names headers, and leaves out their values and the query: a client's key may be among them.
impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { method, uri, headers, .. } = &*self.head;
        let headers: Vec<_> = headers.keys().collect();
        f.debug_struct("Asked")
            .field("method", method)
            .field("path", &uri.path())
            .field("headers", &headers)
            .field("prompt", &self.prompt)
            .finish()
    }
}

impl Deref for Asked {
    type Target = Prompt;

    fn deref(&self) -> &Prompt {
        &self.prompt
    }
}

impl DerefMut for Asked {
    fn deref_mut(&mut self) -> &mut Prompt {
        &mut self.prompt
    }
}
