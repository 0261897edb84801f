//! What a key says of the requests that are made with it: other names for models, parameters that
//! may not be missing, what they may say of caches.
use crate::identity::{Caller, Denied};
use crate::providers::Problem;
use bartizan_layers::facts::{CacheControl, Principal};
use bartizan_layers::wire::scan::Object;
use http::Extensions;

/// The caller with a key of its own, if it is one.
pub(super) fn caller(facts: &Extensions) -> Option<&Caller> {
    facts.get::<Principal>()?.about.get()
}

/// The caller with a key of its own that is bounded to what is its own.
pub(super) fn tenant(facts: &Extensions) -> Option<&Caller> {
    facts.get::<Principal>().filter(|principal| !principal.admin)?.about.get()
}

/// The model that a name stands for.
pub(super) fn model(facts: &Extensions, name: Box<str>) -> Box<str> {
    match caller(facts).and_then(|caller| caller.alias(&name)) {
        Some(model) => model.into(),
        None => name,
    }
}

/// Refuses a request without a parameter that its key demands. A point leads inside: so
/// `metadata.job` is a member of `metadata`.
pub(super) fn check(facts: &Extensions, object: &Object<'_>) -> Result<(), Problem> {
    let demanded = caller(facts).into_iter().flat_map(Caller::enforced);
    for name in demanded {
        let (first, inside) = name.split_once('.').unwrap_or((name, ""));
        let value = object.get(first).ok().flatten().map(|member| member.value());
        let value = value.filter(|value| !value.is_null());
        let inside = inside.split('.').filter(|part| !part.is_empty());
        let found = inside.fold(value, |value, part| value?.get(part));
        if found.is_none() {
            return Err(Problem::bad_request(Denied::Parameter(name.into()).to_string()));
        }
    }
    Ok(())
}

/// Refuses what a request says of caches and its key may not.
pub(super) fn check_cache(facts: &Extensions, control: &CacheControl) -> Result<(), Problem> {
    let Some(allowed) = caller(facts).map(Caller::cache_controls).filter(|all| !all.is_empty())
    else {
        return Ok(());
    };
    let said = [
        ("no-cache", control.no_cache),
        ("no-store", control.no_store),
        ("ttl", control.ttl.is_some()),
        ("s-maxage", control.max_age.is_some()),
        ("namespace", control.namespace.is_some()),
        ("use-cache", control.use_cache),
    ];
    let is_allowed = |name: &str| allowed.iter().any(|one| **one == *name);
    match said.into_iter().find(|(name, said)| *said && !is_allowed(name)) {
        None => Ok(()),
        Some((name, _)) => {
            let message = format!("The key may not use `{name}` in `cache`.");
            Err(Problem::bad_request(message).param("cache"))
        }
    }
}
