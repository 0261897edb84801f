//! What the layers behind ingest want to know of a call, found while its body is at hand.
use super::asked::{Asked, Field};
use super::budget::Share;
use super::entitled;
use super::items::Items;
use super::labels::{self, shortened};
use super::owned;
use crate::config::CachedCalls;
use crate::identity::Directory;
use crate::providers::{Dialect, Operation, Pictured, Problem};
use crate::router::Router;
use crate::telemetry::{Trail, Words};
use bartizan_layers::facts::{CacheControl, Call, Estimate};
use bartizan_layers::wire::estimate::Size;
use bartizan_layers::wire::key::{LEFT_OUT, cache_control, key_of_object};
use bartizan_layers::wire::replay::{Form, Retell};
use bartizan_layers::wire::scan::{Object, scan};
use bartizan_layers::wire::text::Text;
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use std::iter;
use std::sync::Arc;

/// Finds the facts that somebody wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Knows groups and their prices.
    router: Router,
    /// Whether calls are held against limits or budgets.
    estimates: bool,
    /// Which calls are answered from a cache.
    cached: Option<CachedCalls>,
    /// Whether calls have keys that were issued, and are booked.
    booked: bool,
    /// Whether what calls say and are answered is kept with them.
    heard: bool,
    /// Who is bound to a region.
    directory: Option<Directory>,
}

/// What was read of a body.
#[derive(Debug)]
pub(super) struct Read<'a> {
    pub(super) text: &'a Text,
    pub(super) model: Option<&'a str>,
    pub(super) stream: bool,
    pub(super) size: Size,
    pub(super) headers: &'a HeaderMap,
    /// What of the memory for bodies the call has.
    pub(super) share: &'a Share,
}

impl Wanted {
    /// What the layers behind `router` want, what the proxy's own limits and budgets do if there
    /// are any (`held`), what a cache does, and what those do that book calls, if there is a
    /// `directory`.
    #[must_use]
    pub fn new(
        router: Router,
        held: bool,
        cached: Option<CachedCalls>,
        directory: Option<Directory>,
    ) -> Self {
        let estimates = held || router.counts_tokens();
        let booked = directory.is_some();
        Self { router, estimates, cached, booked, heard: false, directory }
    }

    /// Keeps what calls say and are answered, where they are booked.
    #[must_use]
    pub fn hearing(self, heard: bool) -> Self {
        Self { heard: heard && self.booked, ..self }
    }

    /// Notes where the models of whom the client calls for must be.
    fn bind(&self, end_user: Option<&Arc<str>>, facts: &mut Extensions) {
        let region = self.directory.as_ref().zip(end_user);
        if let Some(region) = region.and_then(|(directory, user)| directory.region(user)) {
            facts.insert(region);
        }
    }

    /// Notes what a request says of itself whose body nobody reads.
    pub(super) fn tell(&self, parts: &mut Parts) {
        if !self.booked {
            return;
        }
        if let Some(tags) = labels::tags_of(None, &parts.headers, &parts.extensions) {
            parts.extensions.insert(tags);
        }
        let end_user = told_end_user(&parts.headers);
        self.bind(end_user.as_ref(), &mut parts.extensions);
        if let Some(trail) = parts.extensions.get::<Trail>() {
            let told = labels::told(None, &parts.headers, &parts.extensions, end_user.as_ref());
            trail.set_told(Box::new(told));
        }
    }

    /// Who knows the groups.
    pub(super) const fn router(&self) -> &Router {
        &self.router
    }

    /// What the call may take.
    fn estimate(
        &self,
        operation: &Operation,
        object: &Object<'_>,
        read: &Read<'_>,
    ) -> Option<Estimate> {
        if !operation.makes_images() {
            return self.router.estimate(operation, read.model, read.size);
        }
        let picture = Pictured::of(object).picture();
        self.router.estimate_of_images(operation, read.model, read.size, &picture)
    }

    /// Leaves the facts of the call that this was `read` of.
    pub(super) fn note(
        &self,
        operation: &Operation,
        asked: &Asked<'_>,
        object: &Object<'_>,
        read: &Read<'_>,
        facts: &mut Extensions,
    ) -> Result<(), Problem> {
        let of_body = labels::of_body(asked, read)?;
        if let Some(tags) = labels::tags_of(of_body, read.headers, facts) {
            facts.insert(tags);
        }
        let is_bounded = entitled::caller(facts).is_some();
        if entitled::tenant(facts).is_some() {
            let named = owned::of_json(&read.text.whole());
            owned::tell(named, facts);
        }
        if !self.estimates && self.cached.is_none() && !self.booked {
            return Ok(());
        }
        let end_user = end_user(operation, asked, read.headers)?;
        self.bind(end_user.as_ref(), facts);
        facts.insert(Call {
            group: read.model.unwrap_or_default().into(),
            stream: read.stream,
            end_user: end_user.clone(),
        });
        if let Some(trail) = facts.get::<Trail>().filter(|_| self.booked) {
            let told = labels::told(Some(asked), read.headers, facts, end_user.as_ref());
            trail.set_told(Box::new(told));
            if self.heard && !labels::is_confidential(read.headers) {
                let retell = read.stream.then(|| form(operation)).flatten();
                let retell = retell.map(|form| Retell::to(object, form));
                let words = Words::new(read.text.len(), || read.text.whole(), retell);
                trail.set_words(Box::new(words));
            }
        }
        if (self.estimates || is_bounded)
            && let Some(estimate) = self.estimate(operation, object, read)
        {
            facts.insert(estimate);
        }
        if self.cached.is_some_and(|calls| is_cached(calls, operation)) {
            if let Some(trail) = facts.get::<Trail>() {
                self.router.note(trail, operation, read.model, read.stream);
            }
            if let Some(control) = control(operation, asked, object)? {
                entitled::check_cache(facts, &control)?;
                facts.insert(control);
            }
            cached(operation, object, read, facts);
        }
        Ok(())
    }
}

/// Headers that name an end user (contract 3.3); they win over the body.
static USERS: [HeaderName; 2] = [
    HeaderName::from_static("x-litellm-customer-id"),
    HeaderName::from_static("x-litellm-end-user-id"),
];

/// Whom a header says the client calls for.
pub(super) fn told_end_user(headers: &HeaderMap) -> Option<Arc<str>> {
    let told = USERS.iter().filter_map(|name| headers.get(name)?.to_str().ok());
    let user = told.map(str::trim).find(|user| !user.is_empty())?;
    Some(shortened(user).into())
}

/// Whom the client says it calls for: a header, `user`, or Anthropic's `metadata.user_id`.
fn end_user(
    operation: &Operation,
    asked: &Asked<'_>,
    headers: &HeaderMap,
) -> Result<Option<Arc<str>>, Problem> {
    let told = told_end_user(headers);
    if told.is_some() {
        return Ok(told);
    }
    let metadata = |field, name| Ok(asked.get(field)?.and_then(|value| value.get(name)));
    let value = match operation.dialect() {
        Dialect::Anthropic => metadata(Field::Metadata, "user_id")?,
        _ => match asked.get(Field::User)? {
            None => {
                metadata(Field::LitellmMetadata, "user")?.or(metadata(Field::Metadata, "user_id")?)
            }
            user => user,
        },
    };
    let user = value.and_then(|value| value.as_str()).filter(|user| !user.is_empty());
    Ok(user.map(|user| shortened(&user).into()))
}

const fn is_cached(calls: CachedCalls, operation: &Operation) -> bool {
    match operation {
        Operation::ChatCompletions => calls.chat,
        Operation::Completions => calls.text,
        Operation::Embeddings => calls.embeddings,
        Operation::Rerank | Operation::RerankV1 => calls.rerank,
        Operation::Responses => calls.responses,
        Operation::Messages => calls.messages,
        _ => false,
    }
}

/// Headers that change what a provider answers.
static SHAPES: [HeaderName; 2] =
    [HeaderName::from_static("anthropic-version"), HeaderName::from_static("anthropic-beta")];

/// What the request says of caches: `cache`, `caching`, and the namespace of its `metadata`
/// (contract 6.2), which that of `cache` overrules.
fn control(
    operation: &Operation,
    asked: &Asked<'_>,
    object: &Object<'_>,
) -> Result<Option<CacheControl>, Problem> {
    // Elsewhere these names may mean something to the provider.
    if !operation.strips_litellm_fields() {
        return Ok(None);
    }
    let control = cache_control(object);
    let metadata = asked.get(Field::Metadata)?.filter(|_| *operation != Operation::Responses);
    let namespace = metadata.and_then(|metadata| metadata.get("redis_namespace")?.as_str());
    let Some(namespace) = namespace.filter(|name| !name.is_empty()) else { return Ok(control) };
    let mut control = control.unwrap_or_default();
    control.namespace.get_or_insert_with(|| namespace.as_ref().into());
    Ok(Some(control))
}

/// The key of its answer, and how its answer is told.
fn cached(operation: &Operation, object: &Object<'_>, read: &Read<'_>, facts: &mut Extensions) {
    let ours = operation.strips_litellm_fields();
    let is_left_out = |name: &str| match operation {
        Operation::Responses if name == "metadata" => false,
        _ if ours => LEFT_OUT.contains(&name),
        _ => name == "stream",
    };
    // The model may stand in the path, or in the config alone.
    let named = [operation.route().as_bytes(), read.model.unwrap_or_default().as_bytes()];
    let context = || {
        named.into_iter().chain(SHAPES.iter().flat_map(|name| {
            let values = read.headers.get_all(name).iter().map(HeaderValue::as_bytes);
            iter::once(name.as_str().as_bytes()).chain(values)
        }))
    };
    // A copy for as long as it is read.
    let copy = read.share.aside();
    if read.text.cuts() > 0 && !copy.grow_to(read.text.len()) {
        return;
    }
    let whole = read.text.whole();
    let uncut = (read.text.cuts() > 0).then(|| scan(&whole));
    let object = match &uncut {
        None => object,
        Some(Ok(object)) => object,
        Some(Err(_)) => return,
    };
    if *operation == Operation::Embeddings
        && let Some(items) = Items::of(read.model, context(), object, is_left_out)
    {
        facts.insert(items);
        return;
    }
    if let Some(key) = key_of_object(context(), object, is_left_out) {
        facts.insert(key);
    }
    if let Some(form) = form(operation) {
        facts.insert(Retell::to(object, form));
    }
}

/// How an answer is told, where it may be told as a stream and as a whole.
const fn form(operation: &Operation) -> Option<Form> {
    match operation {
        Operation::ChatCompletions => Some(Form::Chat),
        Operation::Completions => Some(Form::Completions),
        Operation::Responses => Some(Form::Responses),
        Operation::Messages => Some(Form::Messages),
        _ => None,
    }
}
