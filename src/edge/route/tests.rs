//! Paths and where they lead.
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
            assert_eq!(Route::of(&Method::GET, &path), Route::WrongMethod("POST".into()));
        }
    }
    for path in ["/models", "/v1/models"] {
        assert_eq!(Route::of(&Method::GET, path), Route::Admin(AdminRoute::Models));
    }
}

#[test]
fn a_path_of_two_rows_allows_the_methods_of_both() {
    let wrong = |path| Route::of(&Method::PUT, path);
    let post = Route::WrongMethod("POST".into());
    assert_eq!(wrong("/v1/models/gemini-pro:generateContent"), post);
    assert_eq!(wrong("/v1/models/gpt"), Route::WrongMethod("GET".into()));
    let files = Route::of(&Method::HEAD, "/openai/v1/files");
    assert_eq!(files, Route::WrongMethod("GET, POST, PUT, PATCH, DELETE".into()));
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
