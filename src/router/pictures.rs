//! What images cost: by their number, their size and their quality, or by the tokens that the
//! answer reports.
use super::deployment::Deployment;
use super::leaf::Sending;
use crate::config;
use crate::data::{self, ImagePrice, Picture};
use crate::providers::{Operation, Pictured, Prompt};
use bartizan_layers::facts::{NanoUsd, Price, Unit, Usage, UsageCell};
use bartizan_layers::wire::scan::{Value, scan};
use bartizan_layers::wire::tap::{Wire, usage_of};
use bytes::Bytes;
use std::sync::Arc;

impl Deployment {
    /// The usage of what `model` answers to an `operation`. What images cost depends on the
    /// request, and is set when the answer comes.
    pub(super) fn usage_for(&self, operation: &Operation, model: &str) -> UsageCell {
        let is_set = operation.makes_images()
            && (self.config().image_price.is_some() || self.is_priced(model));
        if is_set { UsageCell::default() } else { self.usage(model) }
    }

    /// What `model` costs here that makes images like this: for tokens, and for each image.
    pub(super) fn price_of_images(&self, model: &str, wanted: &Picture) -> Price {
        let config = self.config();
        let image = match (config.image_price, &config.price) {
            (None, None) => wanted.rows().iter().find_map(|row| self.image_price(model, row)),
            (own, _) => own,
        };
        let listed = match model == config.model {
            true => self.listed_price(),
            false => config.price.clone().or_else(|| Some(self.catalogued_as(model)?.price)),
        };
        let mut price = listed.unwrap_or_default();
        price.base = price.base.with(Unit::Image, image.map(|image| image.rate(wanted)));
        self.charged(Some(price))
    }

    /// What the catalogue says of an image in the row of `model` that begins like this.
    fn image_price(&self, model: &str, row: &str) -> Option<ImagePrice> {
        let base = self.base_model().filter(|_| model == self.config().model);
        // A provider stands before the row: `azure/hd/1024-x-1024/dall-e-3`.
        let named = base.and_then(|base| base.split_once('/'));
        let named =
            named.and_then(|(provider, bare)| data::model(&format!("{provider}/{row}{bare}")));
        let found =
            named.or_else(|| self.catalogued_as(&format!("{row}{}", base.unwrap_or(model))));
        found?.image
    }
}

/// What the request says of images that goes to a deployment, as JSON.
pub(super) fn asked(prompt: &Prompt, config: &config::Deployment) -> Pictured {
    let object = prompt.layout.object(prompt.text.outline());
    let pictured = Pictured::default();
    let forced = prompt.forced.as_deref().map_or(&[][..], |members| members);
    for name in Picture::MEMBERS {
        let own = || {
            let is_dropped = config.drop.iter().any(|dropped| dropped == name);
            let own = object.get(name).ok()??.value();
            if is_dropped || own.is_null() { None } else { text(own.raw()) }
        };
        let among = |members: &[(String, Bytes)]| {
            let (_, json) = members.iter().rev().find(|(key, _)| key == name)?;
            text(json)
        };
        let told = among(forced).or_else(|| among(&config.extra_body));
        let told = told.or_else(own).or_else(|| among(&config.defaults));
        told.iter().for_each(|told| pictured.note(name, told));
    }
    pictured
}

/// A text, or a number as it is written.
fn text(json: &[u8]) -> Option<String> {
    let written = std::str::from_utf8(json).ok()?;
    Some(serde_json::from_str(written).unwrap_or_else(|_| written.to_owned()))
}

/// Waits for what is `sending`. Once its answer begins, `usage` has the price of the images that
/// are `wanted`, and as many of them as were asked for: the provider makes them, whether all of the
/// answer arrives or not.
pub(super) fn priced(
    sending: Sending,
    deployment: &Arc<Deployment>,
    (wanted, model): (Pictured, Box<str>),
    usage: &UsageCell,
) -> Sending {
    let (deployment, usage) = (deployment.clone(), usage.clone());
    Sending::Made(Box::pin(async move {
        let answered = sending.await?;
        if answered.status().is_success() {
            let wanted = wanted.picture();
            usage.set_price(deployment.price_of_images(&model, &wanted).into());
            usage.estimate(Usage::default().with(Unit::Image, wanted.count().into()));
        }
        Ok(answered)
    }))
}

/// Notes what a whole answer took: the tokens that it reports, where these cost something, else
/// the images that it holds. Returns what it reports.
pub(super) fn account(usage: &UsageCell, answer: &[u8]) -> Option<Usage> {
    let reported = usage_of(Wire::Media, answer);
    let images = || {
        let asked = usage.usage().map_or(1, |usage| usage[Unit::Image]);
        reported.unwrap_or_default().with(Unit::Image, held(answer).unwrap_or(asked))
    };
    usage.set(reported.filter(|tokens| pays(usage, tokens)).unwrap_or_else(images));
    reported
}

/// How many images an answer holds.
fn held(answer: &[u8]) -> Option<i64> {
    let object = scan(answer).ok()?;
    let data = object.get("data").ok()??.value();
    let images = Some(data).filter(Value::is_array)?.elements().count();
    i64::try_from(images).ok()
}

/// Whether tokens are what is charged by `usage`, or there is no price of an image.
fn pays(usage: &UsageCell, tokens: &Usage) -> bool {
    usage.price().is_none_or(|price| {
        price.base.get(Unit::Image).is_none() || price.cost(tokens) > NanoUsd(0)
    })
}

/// Whether `usage` is charged by the number of images alone, whatever the answer reports.
pub(super) fn is_by_number(usage: &UsageCell) -> bool {
    !pays(usage, &Usage::tokens(1000, 1000))
}
