//! Deployments by the tags of a request (contract 2.6). Nothing here runs unless tag filtering is
//! on.
use super::asked::Asked;
use super::deployment::Deployment;
use super::error::RouteError;
use crate::config::TagRules;
use bartizan_layers::wire::scan::{Object, Value, scan};
use http::HeaderValue;
use http::Request;
use std::sync::Arc;

/// The tag of the deployments for requests that no other deployment fits.
const DEFAULT: &str = "default";
/// Tags, with commas between them.
const HEADER: &str = "x-litellm-tags";

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
    let tags = tags_of(req);
    let awake = among(rules, speaking.clone().filter(is_awake), &tags);
    if !awake.is_empty() {
        return Ok(awake);
    }
    let any_speaks = speaking.clone().next().is_some();
    let all = among(rules, speaking, &tags);
    if all.is_empty() && any_speaks {
        let model = req.body().model.as_deref().unwrap_or_default().into();
        return Err(RouteError::TagsRefused { model, tags });
    }
    Ok(all)
}

/// Those of the `candidates` that `tags` fit, else those for requests that no other fits; without
/// either all, if there are no tags.
fn among<'a>(
    rules: TagRules,
    candidates: impl Iterator<Item = &'a Arc<Deployment>> + Clone,
    tags: &[String],
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

fn fits(rules: TagRules, own: &[String], asked: &[String]) -> bool {
    let has = |tag: &String| own.contains(tag);
    match rules.match_any {
        true => asked.iter().any(has),
        false => !asked.is_empty() && asked.iter().all(has),
    }
}

/// The tags of a request: those of its header and those of its body, each once.
fn tags_of(req: &Request<Asked>) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    let mut add = |tag: &str| {
        if !tag.is_empty() && !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    };
    let headers = req.body().headers().get_all(HEADER).iter().map(HeaderValue::to_str);
    headers.flatten().flat_map(|value| value.split(',')).for_each(|tag| add(tag.trim()));
    // Of a long value the outline does not have the inside.
    let whole = req.body().text.whole();
    let Ok(object) = scan(&whole) else { return tags };
    let lists = [
        member(&object, "tags"),
        member(&object, "metadata").and_then(|metadata| metadata.get("tags")),
        member(&object, "litellm_metadata").and_then(|metadata| metadata.get("tags")),
    ];
    let texts = lists.into_iter().flatten().filter(|list| list.is_array());
    for text in texts.flat_map(Value::elements).filter_map(|value| value.as_str()) {
        add(&text);
    }
    tags
}

/// A member of the body; nothing if it stands twice, so that no two readers see two values.
fn member<'a>(object: &Object<'a>, name: &str) -> Option<Value<'a>> {
    object.get(name).ok().flatten().map(|member| member.value())
}

#[cfg(test)]
mod tests {
    use super::{Asked, fits, tags_of};
    use crate::config::TagRules;
    use crate::providers::Prompt;
    use bytes::Bytes;
    use http::Request;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn tags_come_from_the_header_and_from_three_places_of_the_body() {
        let body = r#"{"metadata":{"tags":["a","b"]},"tags":["b","c",7],"litellm_metadata":{"tags":["d"]},"x":1}"#;
        let prompt = Prompt::of(Bytes::from_static(body.as_bytes()));
        let req = Request::builder().header("x-litellm-tags", "e, a,").body(prompt).unwrap();
        assert_eq!(tags_of(&Asked::request(req)), ["e", "a", "b", "c", "d"]);
        let odd = r#"{"metadata":"text","tags":"a"}"#;
        let odd = Request::new(Prompt::of(Bytes::from_static(odd.as_bytes())));
        assert!(tags_of(&Asked::request(odd)).is_empty());
    }

    #[test]
    fn one_tag_in_common_is_enough_or_all_are_needed() {
        let (any, all) = (TagRules { match_any: true }, TagRules { match_any: false });
        let own = texts(&["free", "eu"]);
        assert!(fits(any, &own, &texts(&["paid", "eu"])));
        assert!(!fits(all, &own, &texts(&["paid", "eu"])));
        assert!(fits(all, &own, &texts(&["eu", "free"])));
        assert!(!fits(any, &own, &[]) && !fits(all, &own, &[]));
        assert!(!fits(any, &[], &texts(&["eu"])));
    }
}
