//! What a client asks of a model: read from this dialect, and written in it.
mod blocks;
mod content;
mod extras;
mod format;
mod hosted;
mod media;
mod offer;
mod read;
mod thinking;
mod tools;
mod turns;
mod write;

pub use self::read::read_request;
pub use self::write::write_request;

use crate::providers::chat::fields;
use std::borrow::Cow;

/// The betas that a request needs, each one once.
#[derive(Debug, Default)]
struct Betas(Vec<Cow<'static, str>>);

impl Betas {
    fn add(&mut self, beta: impl Into<Cow<'static, str>>) {
        let beta = beta.into();
        if !self.0.contains(&beta) {
            self.0.push(beta);
        }
    }

    /// The header that tells them.
    fn headers(self) -> Vec<(&'static str, String)> {
        match self.0.as_slice() {
            [] => Vec::new(),
            betas => vec![("anthropic-beta", betas.join(","))],
        }
    }
}
