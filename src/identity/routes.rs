//! Which routes a key may call.
use super::denied::listed;
use super::{Caller, Denied};
use bartizan_layers::auth::access::covers;

/// What kind of route it is, as LiteLLM groups them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteKind {
    /// A call to a model (`llm_api_routes`).
    Call,
    /// A provider's own path.
    Through,
    /// The management API (`management_routes`).
    Manage,
    /// What can be known of the proxy and of oneself (`info_routes`).
    Info,
}

/// Routes of the management API that only tell something.
const TELLING: [&str; 10] = [
    "/key/aliases",
    "/key/info",
    "/key/list",
    "/key/health",
    "/v2/key/info",
    "/user/info",
    "/team/info",
    "/team/list",
    "/organization/info",
    "/customer/info",
];

/// Whether a route tells clients of models which ones there are.
fn lists_models(path: &str) -> bool {
    path.ends_with("models")
        || matches!(path, "/api/tags" | "/api/show" | "/api/ps" | "/api/version")
}

impl Caller {
    /// Whether its key may call the route at `path`.
    ///
    /// # Errors
    ///
    /// [`Denied::Route`], if it has a list of routes and none of them is this one.
    pub fn may_call(&self, path: &str, kind: RouteKind) -> Result<(), Denied> {
        let routes = self.routes();
        if routes.is_empty() || self.names(path) {
            return Ok(());
        }
        let is_told = kind == RouteKind::Info || TELLING.contains(&path);
        let allows = |route: &str| match route {
            "llm_api_routes" => {
                matches!(kind, RouteKind::Call | RouteKind::Through) || lists_models(path)
            }
            "openai_routes" => kind == RouteKind::Call || lists_models(path),
            "management_routes" => kind == RouteKind::Manage,
            "info_routes" => is_told,
            _ => false,
        };
        if routes.iter().any(|route| allows(route)) {
            return Ok(());
        }
        let allowed = listed(routes.iter().map(|route| &**route));
        Err(Denied::Route { allowed, route: path.into() })
    }

    /// Whether its key's list of routes has this one by its path.
    #[must_use]
    pub fn names(&self, path: &str) -> bool {
        let bare = |path: &str| path.strip_prefix("/v1").unwrap_or(path).to_owned();
        let asked = bare(path.strip_suffix('/').unwrap_or(path));
        let by_name = |route: &str| bare(route) == asked || covers(&pattern(&bare(route)), &asked);
        self.routes().iter().any(|route| by_name(route))
    }

    fn routes(&self) -> &[Box<str>] {
        self.key.holder.rules.as_ref().map_or(&[], |rules| &rules.routes)
    }

    /// Whether some list bounds the models that it may use.
    #[must_use]
    pub fn has_models(&self) -> bool {
        let holders = [
            Some(&self.key.holder),
            self.team.as_deref(),
            self.user.as_deref(),
            self.organization.as_deref(),
        ];
        let rules = holders.into_iter().flatten().filter_map(|holder| holder.rules.as_ref());
        rules
            .flat_map(|rules| &rules.models)
            .any(|name| !matches!(&**name, "*" | "all-proxy-models" | "all-team-models"))
    }
}

/// Placeholders stand for any text.
fn pattern(route: &str) -> String {
    let mut parts = route.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + "*" + part.split_once('}').map_or("", |(_, rest)| rest))
}
