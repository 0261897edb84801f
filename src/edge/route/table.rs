//! Every path of the proxy, in one table: what it leads to, and what lists of routes say of it.
use super::pattern::{self, Captures, captures};
use super::{AdminRoute, Route};
use crate::providers::{GeminiPath, Operation, PathModel, Raw, Resource, Upload};
use http::Method;
use std::collections::HashMap;
use std::sync::LazyLock;

/// A path that exists.
#[derive(Debug)]
pub struct Row {
    /// The path without a version; see `pattern` for placeholders.
    pub path: &'static str,
    /// In which places it stands.
    pub at: At,
    /// Methods it takes, as `Allow` lists them.
    pub methods: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    to: fn(&Captures<'_>) -> Option<Route>,
}

/// In which places a path stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// As it is written.
    Root,
    /// Also below `/v1`.
    Versioned,
    /// Also below `/v1`, and below `/openai/deployments/{model}` and `/engines/{model}`.
    Deployments,
}

/// What stands before a model's name and an operation's path.
pub const DEPLOYMENTS: [&str; 2] = ["/openai/deployments/", "/engines/"];

const fn row(
    path: &'static str,
    at: At,
    methods: &'static str,
    summary: &'static str,
    to: fn(&Captures<'_>) -> Option<Route>,
) -> Row {
    Row { path, at, methods, summary, to }
}

macro_rules! call {
    ($path:literal, $at:ident, $summary:literal, $operation:expr) => {
        row($path, At::$at, "POST", $summary, |_| Some(Route::Call($operation)))
    };
}

macro_rules! admin {
    ($path:literal, $at:ident, $methods:literal, $summary:literal, $route:ident) => {
        row($path, At::$at, $methods, $summary, |_| Some(Route::Admin(AdminRoute::$route)))
    };
}

/// Objects of an account: the collection, and what lies below it.
macro_rules! resource {
    ($kind:literal, $summary:literal) => {
        [
            row($kind, At::Versioned, "GET, POST", $summary, |_| resource($kind, "", None)),
            row(
                concat!($kind, "/{rest*}"),
                At::Versioned,
                "GET, POST, DELETE",
                $summary,
                |found| resource($kind, found.rest(), None),
            ),
        ]
    };
}

macro_rules! raw {
    ($provider:literal) => {
        row(
            concat!("/", $provider, "/{rest*}"),
            At::Root,
            "GET, POST, PUT, PATCH, DELETE",
            concat!("The API of ", $provider, ", with the proxy's key"),
            |found| raw($provider, found.rest()),
        )
    };
}

/// All paths but those of the config. Of two that match a request the first one counts.
pub static ROWS: &[&[Row]] = &[
    &[
        call!("/chat/completions", Deployments, "Chat", Operation::ChatCompletions),
        call!("/completions", Deployments, "Text completion", Operation::Completions),
        call!("/embeddings", Deployments, "Embeddings", Operation::Embeddings),
        call!("/responses", Versioned, "OpenAI responses", Operation::Responses),
        call!("/openai/v1/responses", Root, "OpenAI responses", Operation::Responses),
        call!("/messages", Versioned, "Anthropic messages", Operation::Messages),
        call!("/messages/count_tokens", Versioned, "Count tokens", Operation::CountTokens),
        call!("/images/generations", Deployments, "Make images", Operation::ImageGenerations),
        call!("/images/edits", Deployments, "Edit images", Operation::Upload(Upload::ImageEdits)),
        call!(
            "/images/variations",
            Deployments,
            "Vary an image",
            Operation::Upload(Upload::ImageVariations)
        ),
        call!(
            "/audio/transcriptions",
            Deployments,
            "Speech to text",
            Operation::Upload(Upload::Transcriptions)
        ),
        call!(
            "/audio/translations",
            Deployments,
            "Speech to English text",
            Operation::Upload(Upload::Translations)
        ),
        call!("/audio/speech", Deployments, "Text to speech", Operation::Speech),
        call!("/moderations", Versioned, "Moderation", Operation::Moderations),
        call!("/rerank", Versioned, "Put documents in order", Operation::Rerank),
        call!("/v2/rerank", Root, "Put documents in order", Operation::Rerank),
        row("/realtime", At::Deployments, "GET", "Realtime WebSocket", realtime),
        row("/openai/v1/realtime", At::Root, "GET", "Realtime WebSocket", realtime),
        row("/openai/realtime", At::Root, "GET", "Realtime WebSocket", realtime),
    ],
    &[
        admin!("/health/liveliness", Root, "GET, OPTIONS", "The process answers", Liveness),
        admin!("/health/liveness", Root, "GET, OPTIONS", "The process answers", Liveness),
        admin!("/health/readiness", Root, "GET", "Calls may be sent here", Readiness),
        admin!("/health", Root, "GET", "The state of all deployments", Health),
        admin!("/metrics", Root, "GET", "Figures for Prometheus", Metrics),
        admin!("/models", Versioned, "GET", "The models that may be asked for", Models),
        admin!("/model/info", Versioned, "GET", "The deployments", ModelInfo),
        row("/v1beta/models/{model*}", At::Root, "POST", "Gemini", gemini),
        row("/v1alpha/models/{model*}", At::Root, "POST", "Gemini", gemini),
        row("/models/{model*}", At::Versioned, "POST", "Gemini", gemini),
        row("/models/{id*}", At::Versioned, "GET", "One model", |found| {
            Some(Route::Admin(AdminRoute::Model(found.first()?)))
        }),
    ],
    &resource!("/files", "Files at a provider"),
    &resource!("/batches", "Batches at a provider"),
    &resource!("/fine_tuning/jobs", "Fine-tuning at a provider"),
    &resource!("/vector_stores", "Vector stores at a provider"),
    &[raw!("openai"), raw!("anthropic"), raw!("gemini")],
];

impl Row {
    /// Every path that it stands for.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        let path = self.path;
        let versioned = (self.at != At::Root).then(|| format!("/v1{path}"));
        let below = (self.at == At::Deployments).then_some(DEPLOYMENTS).into_iter().flatten();
        let below = below.map(move |prefix| format!("{prefix}{{model*}}{path}"));
        [path.to_owned()].into_iter().chain(versioned).chain(below)
    }

    fn takes(&self, method: &Method) -> bool {
        self.methods == method.as_str()
            || self.methods.split(", ").any(|taken| taken == method.as_str())
    }
}

/// The rows whose paths hold no placeholder.
static FIXED: LazyLock<HashMap<String, &Row, foldhash::fast::RandomState>> = LazyLock::new(|| {
    let named = rows().flat_map(|row| row.paths().map(move |path| (path, row)));
    named.filter(|(path, _)| !path.contains('{')).collect()
});

fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().copied().flatten()
}

/// The route of a request whose path has no slash at its end.
pub(super) fn find(method: &Method, path: &str) -> Route {
    if let Some(row) = FIXED.get(path) {
        let route = row.takes(method).then(|| (row.to)(&Captures::default())).flatten();
        return route.unwrap_or(Route::WrongMethod(row.methods));
    }
    if let Some((row, model)) = addressed(path) {
        return match (row.to)(&Captures::default()) {
            Some(Route::Call(operation)) if row.takes(method) => Route::CallOf(operation, model),
            _ => Route::WrongMethod(row.methods),
        };
    }
    let mut found = Route::Nothing;
    for row in rows().filter(|row| row.path.contains('{')) {
        let below = path.strip_prefix("/v1").filter(|_| row.at != At::Root);
        let below = below.and_then(|path| captures(row.path, path));
        let captured = below.or_else(|| captures(row.path, path));
        let Some(route) = captured.and_then(|captured| (row.to)(&captured)) else { continue };
        if row.takes(method) {
            return route;
        }
        found = Route::WrongMethod(row.methods);
    }
    found
}

/// `/openai/deployments/{model}/chat/completions`: the path's model overrules the body's.
fn addressed(path: &str) -> Option<(&'static Row, PathModel)> {
    let rest = DEPLOYMENTS.iter().find_map(|prefix| path.strip_prefix(prefix))?;
    rows().filter(|row| row.at == At::Deployments).find_map(|row| {
        let model = rest.strip_suffix(row.path).filter(|model| !model.is_empty())?;
        Some((row, PathModel(pattern::decoded(model)?.into())))
    })
}

fn realtime(_: &Captures<'_>) -> Option<Route> {
    Some(Route::Call(Operation::Realtime))
}

fn resource(kind: &'static str, rest: &str, provider: Option<Box<str>>) -> Option<Route> {
    let path = if rest.is_empty() { kind.into() } else { format!("{kind}/{rest}") };
    let path = pattern::stays_below(&path).then(|| path.into())?;
    Some(Route::Call(Operation::Resource(Box::new(Resource { kind, path, provider }))))
}

fn raw(provider: &'static str, rest: &str) -> Option<Route> {
    let path = format!("/{rest}");
    let path = pattern::stays_below(&path).then(|| path.into())?;
    Some(Route::Call(Operation::Raw(Box::new(Raw { provider, path }))))
}

/// `{model}:{action}`. Model names may hold colons (`llama3:8b`), so only what Gemini knows is an
/// action.
fn gemini(found: &Captures<'_>) -> Option<Route> {
    let (model, action) = found.rest().rsplit_once(':')?;
    let known = matches!(
        action,
        "generateContent"
            | "streamGenerateContent"
            | "countTokens"
            | "embedContent"
            | "batchEmbedContents"
    );
    let model = pattern::decoded(model).filter(|model| known && !model.is_empty())?;
    let path = GeminiPath { model: model.into(), action: action.into() };
    Some(Route::Call(Operation::Gemini(path)))
}
