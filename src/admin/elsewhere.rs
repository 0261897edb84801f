//! Paths of the config, for the lists of routes.
use super::Handles;
use crate::config::PassThrough;
use crate::edge::Route;
use http::Method;
use std::collections::BTreeMap;

/// What they do, as far as we know.
pub(super) const SUMMARY: &str = "A path of the config, which leads to another server";

/// Each path that leads somewhere, and where: those that are ours lead to us, and of two endpoints
/// with one path the first counts.
pub(super) fn paths(handles: &Handles) -> BTreeMap<String, &PassThrough> {
    let mut paths = BTreeMap::new();
    for endpoint in handles.router.endpoints().iter().map(|endpoint| endpoint.config()) {
        let path = endpoint.path.as_str();
        let below = endpoint.include_subpath.then(|| format!("{path}/{{rest}}"));
        let all = [path.to_owned()].into_iter().chain(below);
        for path in all.filter(|path| Route::of(&Method::POST, path) == Route::Nothing) {
            paths.entry(path).or_insert(endpoint);
        }
    }
    paths
}
