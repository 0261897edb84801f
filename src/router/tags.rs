//! Deployments by the tags of a request (contract 2.6). Nothing here runs unless tag filtering is
//! on.
use super::asked::Asked;
use super::deployment::Deployment;
use super::error::RouteError;
use crate::config::TagRules;
use crate::identity::Tags;
use http::Request;
use std::sync::Arc;

/// The tag of the deployments for requests that no other deployment fits.
const DEFAULT: &str = "default";

/// Those of the deployments that speak the path's dialect which the tags of a request allow: of
/// those that are awake, else of all.
///
/// # Errors
///
/// [`RouteError::TagsRefused`], if the request has tags and all deployments have others.
pub(super) fn allowed<'a>(
    rules: TagRules,
    speaking: impl Iterator<Item = &'a Arc<Deployment>> + Clone,
    is_awake: impl Fn(&&'a Arc<Deployment>) -> bool + Clone,
    req: &Request<Asked>,
) -> Result<Vec<&'a Arc<Deployment>>, RouteError> {
    let tags = req.body().facts().get::<Tags>().map_or(&[][..], |tags| &tags.0);
    let awake = among(rules, speaking.clone().filter(is_awake), tags);
    if !awake.is_empty() {
        return Ok(awake);
    }
    let any_speaks = speaking.clone().next().is_some();
    let all = among(rules, speaking, tags);
    if all.is_empty() && any_speaks {
        let model = req.body().model.as_deref().unwrap_or_default().into();
        let tags = tags.iter().map(|tag| tag.to_string()).collect();
        return Err(RouteError::TagsRefused { model, tags });
    }
    Ok(all)
}

/// Those of the `candidates` that `tags` fit, else those for requests that no other fits; without
/// either all, if there are no tags.
fn among<'a>(
    rules: TagRules,
    candidates: impl Iterator<Item = &'a Arc<Deployment>> + Clone,
    tags: &[Box<str>],
) -> Vec<&'a Arc<Deployment>> {
    let own = |deployment: &&'a Arc<Deployment>| -> &'a [String] { &deployment.config().tags };
    let fitting: Vec<_> = candidates.clone().filter(|one| fits(rules, own(one), tags)).collect();
    if !fitting.is_empty() {
        return fitting;
    }
    let is_default = |one: &&'a Arc<Deployment>| own(one).iter().any(|tag| tag == DEFAULT);
    let default: Vec<_> = candidates.clone().filter(is_default).collect();
    if default.is_empty() && tags.is_empty() { candidates.collect() } else { default }
}

fn fits(rules: TagRules, own: &[String], asked: &[Box<str>]) -> bool {
    let mut has = asked.iter().map(|tag| own.iter().any(|own| **own == **tag));
    match rules.match_any {
        true => has.any(|has| has),
        false => !asked.is_empty() && has.all(|has| has),
    }
}

#[cfg(test)]
mod tests {
    use super::fits;
    use crate::config::TagRules;

    fn texts<T: for<'a> From<&'a str>>(list: &[&str]) -> Vec<T> {
        list.iter().map(|text| T::from(text)).collect()
    }

    #[test]
    fn one_tag_in_common_is_enough_or_all_are_needed() {
        let (any, all) = (TagRules { match_any: true }, TagRules { match_any: false });
        let own: Vec<String> = texts(&["free", "eu"]);
        assert!(fits(any, &own, &texts(&["paid", "eu"])));
        assert!(!fits(all, &own, &texts(&["paid", "eu"])));
        assert!(fits(all, &own, &texts(&["eu", "free"])));
        assert!(!fits(any, &own, &[]) && !fits(all, &own, &[]));
        assert!(!fits(any, &[], &texts(&["eu"])));
    }
}
