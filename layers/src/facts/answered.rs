//! What an answer says of itself, and what its price is found by.
use super::Price;
use std::fmt;
use std::sync::Arc;

/// What an answer says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// Its id.
    pub id: Option<Box<str>>,
    /// The model that wrote it, as the provider calls it.
    pub model: Option<Box<str>>,
}

/// Knows the price of a model by its name. Clones are one.
#[derive(Clone)]
pub struct LookUp(Arc<Prices>);

type Prices = dyn Fn(&str) -> Option<Price> + Send + Sync;

impl LookUp {
    /// Asks `prices`.
    pub fn new(prices: impl Fn(&str) -> Option<Price> + Send + Sync + 'static) -> Self {
        Self(Arc::new(prices))
    }

    pub(super) fn price(&self, model: &str) -> Option<Price> {
        self.0(model)
    }
}

impl fmt::Debug for LookUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookUp")
    }
}
