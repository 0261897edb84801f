//! What models cost.
use crate::facts::Price;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

/// Knows what models cost. Implemented for maps by the model's name, for closures, for one [`Price`]
/// of all models, and for `()`, which knows no price. In an `Arc`, several layers share one.
pub trait Prices: Send + Sync + 'static {
    /// The price of `model`; `None` if it is not known, and then its calls cost nothing.
    fn price(&self, model: &str) -> Option<Arc<Price>>;
}

impl<F> Prices for F
where
    F: Fn(&str) -> Option<Arc<Price>> + Send + Sync + 'static,
{
    fn price(&self, model: &str) -> Option<Arc<Price>> {
        self(model)
    }
}

impl<K, H> Prices for HashMap<K, Arc<Price>, H>
where
    K: Borrow<str> + Eq + Hash + Send + Sync + 'static,
    H: BuildHasher + Send + Sync + 'static,
{
    fn price(&self, model: &str) -> Option<Arc<Price>> {
        self.get(model).cloned()
    }
}

impl Prices for Arc<Price> {
    fn price(&self, _: &str) -> Option<Self> {
        Some(self.clone())
    }
}

impl<P: Prices> Prices for Arc<P> {
    fn price(&self, model: &str) -> Option<Arc<Price>> {
        P::price(self, model)
    }
}

impl Prices for () {
    fn price(&self, _: &str) -> Option<Arc<Price>> {
        None
    }
}
