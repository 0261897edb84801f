//! What a call is likely to take, before it is sent.
use super::deployment::Deployment;
use super::group::Found;
use super::{Router, Shared};
use crate::data::Picture;
use crate::providers::Operation;
use crate::telemetry::Trail;
use bartizan_layers::facts::{Amount, Estimate, Price, Unit, Usage};
use bartizan_layers::wire::estimate::{Longest, Size};
use std::iter;
use std::sync::Arc;

impl Router {
    /// Whether some deployment may take only so many tokens.
    #[must_use]
    pub fn counts_tokens(&self) -> bool {
        self.deployments().iter().any(|one| one.room().counts_tokens())
    }

    /// What a call may take at the dearest deployment that may answer it, in its own group or in
    /// one that takes its place; nothing for a model that is not known.
    #[must_use]
    pub fn estimate(
        &self,
        operation: &Operation,
        model: Option<&str>,
        size: Size,
    ) -> Option<Estimate> {
        let shared = &*self.0;
        let found = shared.found_for(Some(operation), model).ok()?;
        let others = shared.plan.for_any_cause(found.name).iter();
        let others = others.filter_map(|target| shared.groups.find(&target.group));
        let size = match operation {
            operation if operation.embeds() => size.without_output(),
            Operation::Rerank
            | Operation::RerankV1
            | Operation::ImageGenerations
            | Operation::ImageEdits => size.without_output(),
            _ => size,
        };
        let typical = &found.group.typical;
        let is_own =
            |one: &Deployment| operation.makes_images() && one.config().image_price.is_some();
        let is_priced = |one: &Deployment| one.is_priced(&found.model(one)) || is_own(one);
        let is_priced = found.candidates(|_| true).all(|one| is_priced(one));
        let prices = others.flat_map(prices).chain(prices(found));
        // A bound of the model alone would let no strict budget refuse what names none.
        let estimate = size.estimate(typical, prices, Longest::default());
        // What the answer will tell the price of is not free.
        let most = estimate.most.filter(|_| is_priced);
        Some(Estimate { most, ..estimate })
    }

    /// The same of a call that makes images like this: as many as it asks for, at the dearest price.
    /// Where an image has no price, tokens are charged, and nothing bounds these.
    #[must_use]
    pub fn estimate_of_images(
        &self,
        operation: &Operation,
        model: Option<&str>,
        size: Size,
        picture: &Picture,
    ) -> Option<Estimate> {
        let words = self.estimate(operation, model, size)?;
        let shared = &*self.0;
        let found = shared.found_for(Some(operation), model).ok()?;
        let others = shared.plan.for_any_cause(found.name).iter();
        let others = others.filter_map(|target| shared.groups.find(&target.group));
        let images = Usage::default().with(Unit::Image, size.choices);
        let costs = iter::once(found).chain(others).flat_map(|found| {
            found.candidates(|_| true).map(move |one| {
                let price = one.price_of_images(&found.model(one), picture);
                price.base.get(Unit::Image).map(|_| price.cost(&images))
            })
        });
        let costs: Vec<_> = costs.collect();
        let dearest = costs.iter().flatten().copied().max().unwrap_or_default();
        let more = |amount: Amount| Amount { cost: amount.cost + dearest, ..amount };
        let most = words.most.filter(|_| costs.iter().all(Option::is_some)).map(more);
        Some(Estimate { likely: more(words.likely), most })
    }

    /// Notes what a call asks for, where no deployment may be asked.
    pub fn note(&self, trail: &Trail, operation: &Operation, model: Option<&str>, stream: bool) {
        if let Ok(found) = self.0.found_for(Some(operation), model) {
            found.note(Some(trail), stream);
            let pattern = found.captures.as_ref().and_then(|_| found.candidates(|_| true).next());
            if let Some(deployment) = pattern {
                trail.set_model(found.model(deployment).into());
            }
        }
    }
}

/// What the deployments cost that take the call.
fn prices(found: Found<'_>) -> impl Iterator<Item = Arc<Price>> {
    found.candidates(|_| true).map(move |one| one.price(&found.model(one)))
}

impl Shared {
    /// What a call finds.
    pub(super) fn found_for<'a>(
        &'a self,
        operation: Option<&Operation>,
        model: Option<&'a str>,
    ) -> Result<Found<'a>, super::RouteError> {
        match (model, operation) {
            (None, Some(Operation::Moderations)) => self.moderator.find(self),
            (name, operation) => self.find(operation.map_or("/messages", Operation::route), name),
        }
    }
}
