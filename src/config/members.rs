//! Parameters of requests that a config holds.
use bytes::Bytes;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// Names, each with its value as JSON text. `Debug` shows the names: a value may be a secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Members(pub Vec<(String, Bytes)>);

impl Deref for Members {
    type Target = Vec<(String, Bytes)>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Members {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
