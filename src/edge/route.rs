//! Path → what it asks for.
use crate::providers::{Dialect, GeminiPath, Operation};
use http::Method;

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// A call to a model.
    Call(Operation),
    /// The proxy's own answers.
    Admin(AdminRoute),
    /// The path exists for other methods: these.
    WrongMethod(&'static str),
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
    /// `/model/info`: the deployments.
    ModelInfo,
}

impl Route {
    /// Finds the route of a request. Each route exists with and without `/v1`, and with a slash
    /// at its end; nothing else in a path is normalised, so no spelling slips past a check.
    #[must_use]
    pub fn of(method: &Method, path: &str) -> Self {
        let path = path.strip_suffix('/').unwrap_or(path);
        let found = Self::call(path).map(|op| (Self::Call(op), "POST", Method::POST));
        let found = found.or_else(|| {
            Self::admin(path).map(|admin| (Self::Admin(admin), "GET, OPTIONS", Method::GET))
        });
        match found {
            None => Self::Nothing,
            Some((route, _, allowed)) if *method == allowed => route,
            Some((Self::Admin(AdminRoute::Liveness), ..)) if method == Method::OPTIONS => {
                Self::Admin(AdminRoute::Liveness)
            }
            Some((_, allowed, _)) => Self::WrongMethod(allowed),
        }
    }

    /// The format that errors of this route have.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::Call(operation) => operation.dialect(),
            _ => Dialect::OpenAi,
        }
    }

    fn call(path: &str) -> Option<Operation> {
        Some(match without_version(path) {
            "/chat/completions" => Operation::ChatCompletions,
            "/completions" => Operation::Completions,
            "/embeddings" => Operation::Embeddings,
            "/responses" | "/openai/v1/responses" => Operation::Responses,
            "/messages" => Operation::Messages,
            "/messages/count_tokens" => Operation::CountTokens,
            _ => return gemini(path).map(Operation::Gemini),
        })
    }

    fn admin(path: &str) -> Option<AdminRoute> {
        Some(match path {
            "/health/liveliness" | "/health/liveness" => AdminRoute::Liveness,
            "/health/readiness" => AdminRoute::Readiness,
            "/health" => AdminRoute::Health,
            "/metrics" => AdminRoute::Metrics,
            _ => match without_version(path) {
                "/models" => AdminRoute::Models,
                "/model/info" => AdminRoute::ModelInfo,
                path => AdminRoute::Model(decoded(path.strip_prefix("/models/")?)?.into()),
            },
        })
    }
}

fn without_version(path: &str) -> &str {
    path.strip_prefix("/v1").filter(|rest| rest.starts_with('/')).unwrap_or(path)
}

/// `/v1beta/models/{model}:{action}`, also below `/v1` and without a version.
fn gemini(path: &str) -> Option<GeminiPath> {
    let below =
        ["/v1beta", "/v1alpha", "/v1"].iter().find_map(|version| path.strip_prefix(version));
    let (model, action) = below.unwrap_or(path).strip_prefix("/models/")?.rsplit_once(':')?;
    let known = !model.is_empty() && action.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !known || !is_gemini_action(action) {
        return None;
    }
    Some(GeminiPath { model: decoded(model)?.into(), action: action.into() })
}

/// Model names may hold colons (`llama3:8b`), so only what Gemini knows is an action.
fn is_gemini_action(action: &str) -> bool {
    matches!(
        action,
        "generateContent"
            | "streamGenerateContent"
            | "countTokens"
            | "embedContent"
            | "batchEmbedContents"
    )
}

/// Percent-decoded (RFC 3986 2.1); `None` if that is not text, or holds control characters.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => (hex(rest.next()?)? << 4) | hex(rest.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains(char::is_control))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| digit.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::{AdminRoute, Route};
    use crate::providers::{GeminiPath, Operation};
    use http::Method;
    use proptest::prelude::*;

    #[test]
    fn each_route_exists_with_and_without_v1() {
        for (path, operation) in [
            ("/chat/completions", Operation::ChatCompletions),
            ("/completions", Operation::Completions),
            ("/embeddings", Operation::Embeddings),
            ("/responses", Operation::Responses),
            ("/messages", Operation::Messages),
            ("/messages/count_tokens", Operation::CountTokens),
        ] {
            for path in [path.to_owned(), format!("/v1{path}"), format!("/v1{path}/")] {
                assert_eq!(Route::of(&Method::POST, &path), Route::Call(operation.clone()));
                assert_eq!(Route::of(&Method::GET, &path), Route::WrongMethod("POST"));
            }
        }
        for path in ["/models", "/v1/models"] {
            assert_eq!(Route::of(&Method::GET, path), Route::Admin(AdminRoute::Models));
        }
    }

    #[test]
    fn gemini_models_may_hold_slashes_and_colons() {
        for (path, model) in [
            ("/v1beta/models/gemini-pro:generateContent", "gemini-pro"),
            ("/models/google/gemini-pro:generateContent", "google/gemini-pro"),
            ("/v1/models/google%2Fgemini-pro:generateContent", "google/gemini-pro"),
            ("/v1beta/models/llama3:8b:generateContent", "llama3:8b"),
        ] {
            let expected = GeminiPath { model: model.into(), action: "generateContent".into() };
            assert_eq!(
                Route::of(&Method::POST, path),
                Route::Call(Operation::Gemini(expected)),
                "{path}"
            );
        }
    }

    #[test]
    fn a_model_id_may_hold_anything_but_control_characters() {
        let model = |path| Route::of(&Method::GET, path);
        assert_eq!(model("/models/a/b:c"), Route::Admin(AdminRoute::Model("a/b:c".into())));
        assert_eq!(model("/v1/models/a%2Fb"), Route::Admin(AdminRoute::Model("a/b".into())));
        assert_eq!(model("/v1/models/a%0d"), Route::Nothing);
        assert_eq!(model("/v1/models/a%f"), Route::Nothing);
    }

    #[test]
    fn unusual_spellings_lead_nowhere() {
        for path in ["//v1/chat/completions", "/v1%2fchat/completions", "/v1/../metrics", "/v1"] {
            assert_eq!(Route::of(&Method::POST, path), Route::Nothing, "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_path_has_a_route(path in "/[ -~]{0,60}") {
            drop(Route::of(&Method::GET, &path));
            drop(Route::of(&Method::POST, &path));
        }
    }
}
