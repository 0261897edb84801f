//! A request's body after ingest.
use crate::config::{Members, Secret, web_url};
use bartizan_layers::wire::estimate::Size;
use bartizan_layers::wire::scan::{Layout, scan};
use bartizan_layers::wire::text::Text;
use bytes::Bytes;
use http::Uri;
use std::fmt::Debug;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// What a call asks for: a body in memory, and the few things that a fallback may put in the place
/// of what the client wrote. Small, since each layer hands it on; clones share the body.
#[derive(Clone, Debug)]
pub struct Prompt {
    body: Arc<Contents>,
    /// The model that is asked for.
    pub model: Option<Arc<str>>,
    /// Parameters that a fallback replaces the request's own with.
    pub forced: Option<Arc<Members>>,
}

/// A body in memory, and what was read of it without parsing the prompt.
#[derive(Clone, Debug)]
pub struct Contents {
    /// The body as the client sent it, decoded.
    pub text: Text,
    /// Where its members stand in the text's outline.
    pub layout: Layout,
    /// Whether it asks for a stream.
    pub stream: bool,
    /// How many choices it asks for (`n`).
    pub choices: u32,
    /// LiteLLM's `timeout`.
    pub timeout: Option<Duration>,
    /// LiteLLM's `stream_timeout`.
    pub stream_timeout: Option<Duration>,
    /// The upstream or the credential that the client brings itself, where that is allowed.
    pub elsewhere: Option<Box<Elsewhere>>,
    /// How large it is.
    pub size: Size,
    /// The share of the memory budget, given back with the last clone.
    pub held: Arc<dyn Hold>,
}

/// What a client brings itself: LiteLLM's `api_base` and `api_key`.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    /// The upstream's base URL.
    pub base: Option<Uri>,
    /// The credential.
    pub key: Option<Secret<String>>,
}

impl Elsewhere {
    /// Reads a base URL that a client wrote. A host that some parsers take for an address and
    /// others for a name (`2130706433`, `0x7f.1`) is none.
    #[must_use]
    pub fn base(text: &str) -> Option<Uri> {
        let url = web_url(text.trim().trim_end_matches('/'))?;
        let host = url.host()?.trim_matches(['[', ']']);
        let last = host.trim_end_matches('.').rsplit('.').next()?;
        // What the WHATWG URL standard calls a host that ends in a number.
        let number = last.bytes().all(|byte| byte.is_ascii_digit())
            || last.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"));
        let clear = host.parse::<IpAddr>().is_ok() || !number;
        (clear && url.query().is_none()).then_some(url)
    }
}

/// A share of the memory for bodies, held as long as a prompt and its answer are in memory.
pub trait Hold: Debug + Send + Sync {
    /// Holds `bytes` more; false if they are not left.
    fn hold_more(&self, bytes: usize) -> bool;

    /// Another share, of nothing yet: for what is held when the prompt is gone.
    fn another(&self) -> Arc<dyn Hold>;
}

/// Memory without a bound, for prompts of the proxy's own.
impl Hold for () {
    fn hold_more(&self, _bytes: usize) -> bool {
        true
    }

    fn another(&self) -> Arc<dyn Hold> {
        Arc::new(())
    }
}

impl Prompt {
    /// A body that names this model.
    #[must_use]
    pub fn new(body: Contents, model: Option<Arc<str>>) -> Self {
        Self { body: Arc::new(body), model, forced: None }
    }

    /// A prompt of the proxy's own, of which nothing was read.
    #[must_use]
    pub fn of(bytes: Bytes) -> Self {
        Self::new(Contents::of(bytes.into()), None)
    }
}

impl Deref for Prompt {
    type Target = Contents;

    fn deref(&self) -> &Contents {
        &self.body
    }
}

impl Contents {
    /// A body of the proxy's own, of which nothing was read.
    #[must_use]
    pub fn of(text: Text) -> Self {
        let read = scan(text.outline()).map(|object| (Size::of(&text, &object), object.layout()));
        let (size, layout) = read.unwrap_or_default();
        Self {
            size,
            layout,
            text,
            stream: false,
            choices: 1,
            timeout: None,
            stream_timeout: None,
            elsewhere: None,
            held: Arc::new(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Elsewhere;

    #[test]
    fn a_base_is_a_url_whose_host_nobody_reads_in_two_ways() {
        for bad in [
            "http://2130706433/",
            "http://0x7f000001",
            "http://0177.0.0.1x@h",
            "http://127.1",
            "http://0x7f.1",
            "ftp://host",
            "host/path",
            "http://name:password@host",
            "http://host?x=1",
            "",
        ] {
            assert!(Elsewhere::base(bad).is_none(), "{bad}");
        }
        for good in ["https://api.example.com/v1/", "http://1.2.3.4:8080", "http://[2606::1]/v1"] {
            assert!(Elsewhere::base(good).is_some(), "{good}");
        }
    }
}
