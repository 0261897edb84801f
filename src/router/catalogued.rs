//! What is known of a deployment's model, and what it costs.
use super::deployment::Deployment;
use crate::data::{self, Model};
use bartizan_layers::facts::{Price, UsageCell};
use std::sync::Arc;

impl Deployment {
    /// What the catalogue knows of its model: of `base_model`, where the config names one.
    #[must_use]
    pub fn catalogued(&self) -> Option<Model> {
        match self.base_model() {
            Some(base) => data::model(base),
            None => self.catalogued_as(&self.config().model),
        }
    }

    /// The model that the config says its own to be.
    pub(super) fn base_model(&self) -> Option<&str> {
        let config = self.config();
        let base = config.info.get("base_model").or_else(|| config.params.get("base_model"));
        base.and_then(serde_json::Value::as_str)
    }

    /// The name by which it is known what its `model` takes: what the config says it to be.
    pub(super) fn like<'a>(&'a self, model: &'a str) -> &'a str {
        let azure = self.config().azure.as_ref();
        self.base_model().or_else(|| azure?.like).unwrap_or(model)
    }

    /// What it is for: `chat`, `embedding`, … as the config or the catalogue says.
    #[must_use]
    pub fn mode(&self) -> Option<&str> {
        let told = self.config().info.get("mode").and_then(serde_json::Value::as_str);
        told.or_else(|| self.catalogued().map(|model| model.mode)).filter(|mode| !mode.is_empty())
    }

    /// What its model costs, where that is known.
    #[must_use]
    pub fn listed_price(&self) -> Option<Price> {
        self.config().price.clone().or_else(|| self.catalogued().map(|model| model.price))
    }

    pub(super) fn catalogued_as(&self, model: &str) -> Option<Model> {
        let provider = self.config().provider.name;
        data::model(&format!("{provider}/{model}")).or_else(|| data::model(model))
    }

    /// The usage of an answer of `model`: at its price, or where that is not known, at the price
    /// of the model that the answer names.
    pub(super) fn usage(&self, model: &str) -> UsageCell {
        match &self.look_up {
            Some(look_up) if !self.is_priced(model) => UsageCell::unpriced(look_up.clone()),
            _ => UsageCell::new(self.price(model)),
        }
    }

    /// Whether the price of `model` is known before it answers, or never.
    pub(super) fn is_priced(&self, model: &str) -> bool {
        self.look_up.is_none()
            || model != self.config().model && self.catalogued_as(model).is_some()
    }

    /// What `model` costs here: the config's price, else the catalogue's, else nothing; with the
    /// provider's discount and margin.
    pub(super) fn price(&self, model: &str) -> Arc<Price> {
        if self.config().price.is_some() || model == self.config().model {
            return self.price.clone();
        }
        Arc::new(self.charged(self.catalogued_as(model).map(|model| model.price)))
    }

    pub(super) fn charged(&self, price: Option<Price>) -> Price {
        price.unwrap_or_default().times(self.config().cost_factor)
    }
}
