//! Path → what it asks for.
mod natives;
mod pattern;
mod rows;
mod table;
#[cfg(test)]
mod tests;

use crate::providers::{Dialect, Operation, PathModel};
use http::Method;
use std::borrow::Cow;

pub(super) use self::pattern::stays_below;
pub use self::rows::ROWS;
pub use self::table::{At, DEPLOYMENTS, Row};

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// A call to a model.
    Call(Operation),
    /// A call to the model that the path names.
    CallOf(Operation, PathModel),
    /// The proxy's own answers.
    Admin(AdminRoute),
    /// The path exists for other methods: these.
    WrongMethod(Cow<'static, str>),
    /// No such path.
    Nothing,
}

/// The proxy's own answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminRoute {
    /// `/health/liveliness` and `/health/liveness`.
    Liveness,
    /// `/health/readiness`.
    Readiness,
    /// `/health`.
    Health,
    /// `/metrics`.
    Metrics,
    /// `/models`: the names that may be asked for.
    Models,
    /// `/models/{id}`: one of them.
    Model(Box<str>),
    /// `/api/tags`: the same for Ollama's clients.
    OllamaModels,
    /// `/api/ps`: those of them that are loaded.
    OllamaLoaded,
    /// `/api/show`: one of them.
    OllamaModel,
    /// `/api/version`.
    OllamaVersion,
    /// `/model/info`: the deployments.
    ModelInfo,
    /// The deployments, page by page.
    ModelPages,
    /// `/model_group/info`: the model groups.
    GroupInfo,
    /// `/routes`: what paths there are.
    Routes,
    /// `/config/yaml`: the config, secrets hidden.
    Config,
    /// `/test`: whether a key is good.
    Test,
    /// `/openapi.json`: what paths there are, for programs.
    OpenApi,
    /// `/`: a page about this proxy.
    Home,
    /// `/utils/supported_openai_params`: what a model may be asked with.
    SupportedParams,
    /// `/key/…`, `/team/…`, `/spend/…` and the like: the management API, which knows its own
    /// paths.
    Manage,
}

impl AdminRoute {
    /// The format that its errors have.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::OllamaModels | Self::OllamaLoaded | Self::OllamaModel | Self::OllamaVersion => {
                Dialect::Ollama
            }
            _ => Dialect::OpenAi,
        }
    }

    /// Whether its request has a body that is read.
    #[must_use]
    pub const fn has_body(&self) -> bool {
        matches!(self, Self::Manage | Self::OllamaModel)
    }
}

impl Route {
    /// Finds the route of a request. Each path may have a slash at its end; nothing else in a path
    /// is normalised, so no spelling slips past a check.
    #[must_use]
    pub fn of(method: &Method, path: &str) -> Self {
        let bare = path.strip_suffix('/').filter(|path| path.len() > 1);
        table::find(method, bare.unwrap_or(path))
    }

    /// The format that errors of this route have.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::Call(operation) | Self::CallOf(operation, _) => operation.dialect(),
            Self::Admin(route) => route.dialect(),
            _ => Dialect::OpenAi,
        }
    }
}
