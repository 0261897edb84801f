//! What is read of a body, and how it becomes facts.
use super::{Endpoint, IngestError, Prices};
use crate::body::Body;
use crate::facts::Call;
use crate::wire::estimate::{Expected, Longest, Size, Typical};
use crate::wire::key::{LEFT_OUT, cache_control, key_of};
use crate::wire::replay::Retell;
use crate::wire::scan::{Object, scan};
use crate::wire::text::Text;
use bytes::Bytes;
use http::Extensions;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The options of a layer, and what its groups usually take.
#[derive(Debug)]
pub(super) struct Rules<P> {
    pub(super) cap: usize,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) cache_keys: bool,
    prices: P,
    typical: RwLock<HashMap<Arc<str>, Typical>>,
    strangers: Typical,
}

/// 32 MiB: a conversation with pictures.
const CAP: usize = 32 * 1024 * 1024;

/// So many groups are learned about; clients make up names of models.
const MOST_GROUPS: usize = 1024;

impl<P: Prices> Rules<P> {
    pub(super) fn new(prices: P) -> Self {
        Self {
            cap: CAP,
            endpoint: None,
            cache_keys: false,
            prices,
            typical: RwLock::default(),
            strangers: Typical::default(),
        }
    }

    /// Writes the facts of a request whose whole body was read.
    pub(super) fn read(
        &self,
        endpoint: Endpoint,
        facts: &mut Extensions,
        body: Bytes,
    ) -> Result<Body, IngestError> {
        let object = scan(&body)?;
        let Some(model) = object.get("model")?.and_then(|model| model.value().as_str()) else {
            return Ok(Body::Full(body));
        };
        let group: Arc<str> = model.as_ref().into();
        let stream = object.get("stream")?.and_then(|stream| stream.value().as_bool());
        let size = Size::of(&Text::from(body.clone()), &object);
        let size = if endpoint.writes() { size } else { size.without_output() };
        let price = self.prices.price(&group);
        let typical = self.typical(&group, price.is_some());
        facts.insert(size.estimate(&typical, price.as_deref(), Longest::default()));
        facts.insert(Expected { size, typical });
        if let Some(control) = cache_control(&object) {
            facts.insert(control);
        }
        if self.cache_keys {
            cached(endpoint, &object, facts, &body);
        }
        let end_user = end_user(endpoint, &object);
        facts.insert(Call { group, stream: stream.unwrap_or(false), end_user });
        Ok(Body::Full(body))
    }

    /// What `group` usually takes. Half of the room is for groups that have a price.
    fn typical(&self, group: &Arc<str>, has_price: bool) -> Typical {
        let known = self.typical.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(typical) = known.get(group) {
            return typical.clone();
        }
        let is_full = known.len() >= if has_price { MOST_GROUPS } else { MOST_GROUPS / 2 };
        drop(known);
        if is_full {
            return self.strangers.clone();
        }
        let mut all = self.typical.write().unwrap_or_else(PoisonError::into_inner);
        all.entry(group.clone()).or_default().clone()
    }
}

/// The key of the answer, and how it is told.
fn cached(endpoint: Endpoint, object: &Object<'_>, facts: &mut Extensions, body: &[u8]) {
    let left_out = |name: &str| LEFT_OUT.contains(&name);
    if let Some(key) = key_of(&[endpoint.name()], body, left_out) {
        facts.insert(key);
    }
    if let Some(form) = endpoint.form() {
        let options = object.get("stream_options").ok().flatten();
        let usage = options.and_then(|options| options.value().get("include_usage")?.as_bool());
        facts.insert(Retell::new(form).usage_event(usage == Some(true)));
    }
}

/// Whom the client calls for.
fn end_user(endpoint: Endpoint, object: &Object<'_>) -> Option<Arc<str>> {
    let user = match endpoint {
        Endpoint::Messages => object.get("metadata").ok()??.value().get("user_id")?,
        _ => object.get("user").ok()??.value(),
    };
    Some(user.as_str()?.as_ref().into())
}
