//! `--health` and `--test`: asks a proxy that runs already, as LiteLLM's flags of the same names.
use crate::config::{Env, Options, Outbound, Secret, state_dir, stored};
use crate::forward::Forwarder;
use crate::tasks::Tasks;
use anyhow::Context;
use bartizan_layers::body::Body;
use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::io::Write;
use std::process::ExitCode;

/// The model of a test where no other is known.
const MODEL: &str = "gpt-4o-mini";

/// An answer's status and JSON.
type Answer = (StatusCode, Value);

/// Prints what the proxy's `/health` answers. The code is 1 unless that is a 200.
///
/// # Errors
///
/// When no proxy answers.
pub fn health(options: &Options) -> anyhow::Result<ExitCode> {
    let proxy = Asked::new(options, None, "--health")?;
    told(&block_on(proxy.ask(Method::GET, "/health", None))??)
}

/// Sends a chat call and prints the answer: to `url`, else to the proxy at the host and port of
/// the options. The model is the options', else the first that is listed.
///
/// # Errors
///
/// When no proxy answers.
pub fn test(options: &Options, url: Option<&str>) -> anyhow::Result<ExitCode> {
    let proxy = Asked::new(options, url, "--test")?;
    let answer = block_on(async {
        let model = match &options.model {
            Some(model) => model.clone(),
            None => proxy.first_model().await?,
        };
        let messages =
            json!([{"role": "user", "content": "this is a test request, answer briefly"}]);
        let body = json!({"model": model, "messages": messages, "max_tokens": 64});
        proxy.ask(Method::POST, "/v1/chat/completions", Some(&body)).await
    })??;
    told(&answer)
}

pub(super) fn block_on<F: Future>(future: F) -> anyhow::Result<F::Output> {
    let runtime = crate::server::runtime::build(Some(1));
    Ok(runtime.context("the runtime cannot be started")?.block_on(future))
}

fn told((status, answer): &Answer) -> anyhow::Result<ExitCode> {
    // Whoever stops reading has seen enough.
    drop(writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(answer)?));
    if status.is_success() {
        return Ok(ExitCode::SUCCESS);
    }
    drop(writeln!(std::io::stderr(), "the proxy answered {status}"));
    Ok(ExitCode::FAILURE)
}

/// A proxy that is asked, and the key for it.
pub(super) struct Asked {
    base: Uri,
    key: Option<Secret<String>>,
}

impl Asked {
    /// The proxy at `url`, which the flag of that name told, or the one of the options.
    pub(super) fn new(options: &Options, url: Option<&str>, flag: &str) -> anyhow::Result<Self> {
        let env = Env::of_process();
        let base = match url {
            Some(url) => url.parse().with_context(|| format!("{flag}: this is not a URL"))?,
            None => own_base(options, &env).parse().context("--host: this is no address")?,
        };
        let key = match env.secret("LITELLM_MASTER_KEY")? {
            Some(key) => Some(key),
            None => state_dir(options.state_dir.as_deref(), &env).as_deref().and_then(stored),
        };
        Ok(Self { base, key })
    }

    /// Where it is.
    pub(super) const fn base(&self) -> &Uri {
        &self.base
    }

    async fn first_model(&self) -> anyhow::Result<String> {
        let (_, models) = self.ask(Method::GET, "/v1/models", None).await?;
        let first = models.pointer("/data/0/id").and_then(Value::as_str);
        Ok(first.unwrap_or(MODEL).to_owned())
    }

    /// Asks, with the key.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = &self.key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", key.expose()));
        }
        let body = body.map_or_else(Body::empty, |body| Bytes::from(body.to_string()).into());
        let forwarder = Forwarder::new(&Outbound::default(), Tasks::default())?;
        let answering = forwarder.upstream(&self.base).send(request.body(body)?);
        let (head, body) = answering.await?.into_parts();
        let body = body.collect().await.context("the proxy did not answer to the end")?.to_bytes();
        let text = || Value::String(String::from_utf8_lossy(&body).into_owned());
        Ok((head.status, serde_json::from_slice(&body).unwrap_or_else(|_| text())))
    }
}

/// The host and port of the options, or of a proxy that was started without any.
fn own_base(options: &Options, env: &Env) -> String {
    let host = options.host.as_deref().or_else(|| env.get("HOST")).unwrap_or("127.0.0.1");
    // What stands for all addresses is no address to connect to.
    let host = match host {
        "0.0.0.0" => "127.0.0.1",
        "::" | "[::]" => "[::1]",
        host => host,
    };
    let port = options.port.map(|port| port.to_string());
    let port = port.or_else(|| env.get("PORT").map(str::to_owned));
    let bare_v6 = host.contains(':') && !host.starts_with('[');
    let host = if bare_v6 { format!("[{host}]") } else { host.to_owned() };
    format!("http://{host}:{}", port.as_deref().unwrap_or("4000"))
}
