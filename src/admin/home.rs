//! `/`: a page for those who open the proxy in a browser.
use super::{Handles, with_type};
use bartizan_layers::body::Body;
use http::{HeaderValue, Response, header};

/// Names the product and where its routes are described. It shows nothing of the config.
pub(super) fn page(handles: &Handles) -> Response<Body> {
    let root = escaped(&handles.root_path);
    let version = env!("CARGO_PKG_VERSION");
    let text = format!(
        r#"<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>LiteLLM API: Bartizan</title></head>
<body>
<h1>Bartizan {version}</h1>
<p>A proxy for calls to language models, with the API of the LiteLLM proxy.</p>
<ul>
<li><a href="{root}/openapi.json">/openapi.json</a>: every route, for programs and API browsers</li>
<li><a href="{root}/health">/health</a>: whether it is well</li>
<li>/v1/models: the models that may be asked for (needs a key)</li>
<li>/v1/chat/completions, /v1/responses, /v1/messages, …: calls (need a key)</li>
</ul>
</body>
</html>
"#
    );
    let mut rsp = with_type("text/html; charset=utf-8", text.into());
    let headers = rsp.headers_mut();
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    rsp
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}
