//! Every path of the proxy, in one table: what it leads to, and what lists of routes say of it.
use super::pattern::{self, Captures};
use super::table::{At, Row};
use super::{AdminRoute, Route, natives};
use crate::data::{self, Wire};
use crate::providers::{GeminiPath, Operation, Raw, Resource, Upload};

pub(super) const fn row(
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

/// Objects of an account: what lies below their collection.
macro_rules! below {
    ($kind:literal, $summary:literal) => {
        row(concat!($kind, "/{rest*}"), At::Versioned, "GET, POST, DELETE", $summary, |found| {
            resource($kind, found.rest(), None)
        })
    };
}

/// Objects of an account: the collection, and what lies below it.
macro_rules! resource {
    ($kind:literal, $summary:literal) => {
        [
            row($kind, At::Versioned, "GET, POST", $summary, |_| resource($kind, "", None)),
            below!($kind, $summary),
        ]
    };
}

/// The same at the provider that the path begins with.
macro_rules! resource_at {
    ($kind:literal, $summary:literal) => {
        [
            row(concat!("/{provider}/v1", $kind), At::Root, "GET, POST", $summary, |found| {
                resource($kind, "", Some(provider(found)?))
            }),
            row(
                concat!("/{provider}/v1", $kind, "/{rest*}"),
                At::Root,
                "GET, POST, DELETE",
                $summary,
                |found| resource($kind, found.rest(), Some(provider(found)?)),
            ),
        ]
    };
}

/// Gemini's paths. Model names may hold colons (`llama3:8b`): the action is what follows the last.
macro_rules! gemini {
    ($models:literal, $at:ident) => {
        [
            gemini!($models, $at, "generateContent", "Gemini"),
            gemini!($models, $at, "streamGenerateContent", "Gemini, streamed"),
            gemini!($models, $at, "countTokens", "Count tokens"),
            gemini!($models, $at, "embedContent", "Embedding"),
            gemini!($models, $at, "batchEmbedContents", "Embeddings"),
        ]
    };
    ($models:literal, $at:ident, $action:literal, $summary:literal) => {
        row(concat!($models, "/{model*}:", $action), At::$at, "POST", $summary, |found| {
            let path = GeminiPath { model: found.first()?, action: $action.into() };
            Some(Route::Call(Operation::Gemini(path)))
        })
    };
}

macro_rules! raw {
    ($provider:literal) => {
        raw!($provider, $provider)
    };
    ($name:literal, $provider:literal) => {
        row(
            concat!("/", $name, "/{rest*}"),
            At::Root,
            "GET, POST, PUT, PATCH, DELETE",
            concat!("The API of ", $name, ", with the proxy's key"),
            |found| raw($provider, found.rest()),
        )
    };
}

/// A provider's API that LiteLLM passes on and this version does not, for a reason.
macro_rules! unserved {
    ($name:literal, $why:expr) => {
        row(
            concat!("/", $name, "/{rest*}"),
            At::Root,
            "GET, POST, PUT, PATCH, DELETE",
            "Not served yet: answers 400",
            |_| Some(Route::Call(Operation::Unserved(concat!("/", $name), $why))),
        )
    };
}

/// Why the APIs of clouds are not passed on.
const UNSIGNED: &str = "its calls need a signature or token that this version does not make";
/// Why those that are no model provider are not.
const NO_PROVIDER: &str = "this version has no credential for it";

/// A part of the management API.
macro_rules! managed {
    ($($path:literal $summary:literal)*) => {
        [$(row(concat!($path, "/{rest*}"), At::Root, ANY, $summary, |_| {
            Some(Route::Admin(AdminRoute::Manage))
        })),*]
    };
}

const ANY: &str = "GET, POST, PUT, PATCH, DELETE";

/// One of our models.
const MODEL: &str = "/models/{model*}";

/// All paths but those of the config. Of two that match a request the first one counts.
pub static ROWS: &[&[Row]] = &[
    &[
        call!("/chat/completions", Deployments, "Chat", Operation::ChatCompletions),
        call!("/cursor/chat/completions", Root, "Chat", Operation::ChatCompletions),
        call!("/completions", Deployments, "Text completion", Operation::Completions),
        call!("/embeddings", Deployments, "Embeddings", Operation::Embeddings),
        call!("/responses", Versioned, "OpenAI responses", Operation::Responses),
        call!("/openai/v1/responses", Root, "OpenAI responses", Operation::Responses),
        call!("/messages", Versioned, "Anthropic messages", Operation::Messages),
        call!("/messages/count_tokens", Versioned, "Count tokens", Operation::CountTokens),
        call!("/utils/token_counter", Root, "Count tokens", Operation::TokenCounter),
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
        call!("/rerank", Root, "Put documents in order", Operation::Rerank),
        call!("/v1/rerank", Root, "Put documents in order", Operation::RerankV1),
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
        admin!("/v2/model/info", Root, "GET", "The deployments, page by page", ModelPages),
        admin!("/model_group/info", Root, "GET", "The model groups", GroupInfo),
        admin!("/routes", Root, "GET", "All routes", Routes),
        admin!("/config/yaml", Root, "GET", "The config, secrets hidden", Config),
        admin!("/test", Root, "GET", "Whether a key is good", Test),
        admin!("/openapi.json", Root, "GET", "This description", OpenApi),
        admin!("/", Root, "GET", "A page about this proxy", Home),
        admin!(
            "/utils/supported_openai_params",
            Root,
            "GET",
            "What a model may be asked with",
            SupportedParams
        ),
    ],
    &natives::ROWS,
    &managed! {
        "/key" "Virtual keys"
        "/v2/key" "Virtual keys"
        "/user" "Users"
        "/v2/user" "Users"
        "/team" "Teams"
        "/v2/team" "Teams"
        "/customer" "End users"
        "/end_user" "End users"
        "/organization" "Organisations"
        "/budget" "Budgets"
        "/tag" "Tags"
        "/access_group" "Access groups"
        "/model" "Models that are added at run time"
        "/spend" "What calls have cost"
        "/global" "What calls have cost, summed"
        "/audit" "Who changed what"
        "/receipts" "What a call has cost, and why"
    },
    &[
        admin!("/audit", Root, "GET", "Who changed what", Manage),
        admin!("/provider/budgets", Root, "GET", "What providers may cost, and have cost", Manage),
    ],
    &gemini!("/v1beta/models", Root),
    &gemini!("/v1alpha/models", Root),
    &gemini!("/models", Versioned),
    &[row(MODEL, At::Versioned, "GET", "One model", |found| {
        let id = found.first().filter(|id| !is_action(id))?;
        Some(Route::Admin(AdminRoute::Model(id)))
    })],
    &[below!("/responses", "Responses that a provider keeps")],
    &resource!("/files", "Files at a provider"),
    &resource!("/uploads", "Uploads in parts at a provider"),
    &resource!("/batches", "Batches at a provider"),
    &resource!("/fine_tuning/jobs", "Fine-tuning at a provider"),
    &resource!("/vector_stores", "Vector stores at a provider"),
    &resource!("/assistants", "Assistants at a provider"),
    &resource!("/threads", "Threads at a provider"),
    &resource!("/conversations", "Conversations at a provider"),
    &resource!("/containers", "Containers at a provider"),
    &resource!("/videos", "Videos at a provider"),
    &resource!("/skills", "Skills at a provider"),
    &resource!("/evals", "Evaluations at a provider"),
    &resource_at!("/files", "Files at the provider"),
    &resource_at!("/batches", "Batches at the provider"),
    &resource_at!("/fine_tuning/jobs", "Fine-tuning at the provider"),
    &[
        raw!("openai"),
        raw!("anthropic"),
        raw!("gemini"),
        raw!("cohere"),
        raw!("mistral"),
        raw!("vllm", "hosted_vllm"),
        raw!("azure"),
        raw!("azure_ai"),
        unserved!("bedrock", UNSIGNED),
        unserved!("vertex_ai", UNSIGNED),
        unserved!("vertex-ai", UNSIGNED),
        unserved!("assemblyai", NO_PROVIDER),
        unserved!("langfuse", NO_PROVIDER),
        unserved!("milvus", NO_PROVIDER),
    ],
];

fn resource(kind: &'static str, rest: &str, provider: Option<Box<str>>) -> Option<Route> {
    let path = if rest.is_empty() { kind.into() } else { format!("{kind}/{rest}") };
    let path = pattern::stays_below(&path).then(|| path.into())?;
    Some(Route::Call(Operation::Resource(Box::new(Resource { kind, path, provider }))))
}

/// The provider that a path begins with: one that speaks OpenAI's wire. The files of others are no
/// OpenAI files; their paths are the provider's own.
fn provider(found: &Captures<'_>) -> Option<Box<str>> {
    let speaks = |name: &str| data::provider(name).is_some_and(|one| one.wire == Wire::OpenAi);
    found.first().filter(|name| speaks(name))
}

fn raw(provider: &'static str, rest: &str) -> Option<Route> {
    let path = format!("/{rest}");
    let path = pattern::stays_below(&path).then(|| path.into())?;
    Some(Route::Call(Operation::Raw(Box::new(Raw { provider, path }))))
}

/// Whether a model's name ends with an action of Gemini's: then it is none.
fn is_action(id: &str) -> bool {
    let rows = ROWS.iter().copied().flatten();
    let mut actions = rows.filter_map(|row| row.path.strip_prefix(MODEL));
    actions.any(|action| action.starts_with(':') && id.ends_with(action))
}

fn realtime(_: &Captures<'_>) -> Option<Route> {
    Some(Route::Call(Operation::Realtime))
}
