//! What a request says about caches.
use crate::facts::CacheControl;
use crate::wire::scan::{Object, Value};
use std::time::Duration;

/// LiteLLM's `cache` and `caching` members of a request (contract 6.3); `None` if it has neither.
/// `caching: false` neither looks for an answer nor keeps one. What cannot be read counts as
/// absent.
#[must_use]
pub fn cache_control(object: &Object<'_>) -> Option<CacheControl> {
    let (mut control, mut is_told) = (CacheControl::default(), false);
    for member in object.members() {
        match member.key() {
            b"cache" => member.value().members().for_each(|(name, value)| {
                is_told = true;
                take(&mut control, &name, value);
            }),
            b"caching" if member.value().as_bool() == Some(false) => {
                is_told = true;
                (control.no_cache, control.no_store) = (true, true);
            }
            _ => {}
        }
    }
    is_told.then_some(control)
}

fn take(control: &mut CacheControl, name: &[u8], value: Value<'_>) {
    let is_set = || value.as_bool().unwrap_or(false);
    match name {
        b"no-cache" => control.no_cache |= is_set(),
        b"no-store" => control.no_store |= is_set(),
        b"use-cache" => control.use_cache = is_set(),
        b"ttl" => control.ttl = seconds(value),
        b"s-maxage" | b"s-max-age" => control.max_age = seconds(value),
        b"namespace" => control.namespace = value.as_str().map(|name| name.as_ref().into()),
        _ => {}
    }
}

fn seconds(value: Value<'_>) -> Option<Duration> {
    let number = match value.as_str() {
        Some(text) => text.trim().parse().ok()?,
        None => value.as_f64()?,
    };
    Duration::try_from_secs_f64(number).ok()
}
