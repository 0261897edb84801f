//! The words that a call bears.
use std::sync::Arc;

/// The words that a call bears: those of its request, of its key and of its team, each once. A
/// request fact; absent means none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(pub Arc<[Box<str>]>);
