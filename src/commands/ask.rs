//! `--health` and `--test`: asks a proxy that runs already, as LiteLLM's flags of the same names.
use crate::config::{Env, Options, Secret, state_dir, stored};
use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::io::Write;
use std::process::ExitCode;
use tokio::net::TcpStream;

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
    let proxy = Asked::new(options, None)?;
    told(&block_on(proxy.ask(Method::GET, "/health", None))??)
}

/// Sends a chat call and prints the answer: to `url`, else to the proxy at the host and port of
/// the options. The model is the options', else the first that is listed.
///
/// # Errors
///
/// When no proxy answers.
pub fn test(options: &Options, url: Option<&str>) -> anyhow::Result<ExitCode> {
    let proxy = Asked::new(options, url)?;
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

fn block_on<F: Future>(future: F) -> anyhow::Result<F::Output> {
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
struct Asked {
    authority: String,
    key: Option<Secret<String>>,
}

impl Asked {
    fn new(options: &Options, url: Option<&str>) -> anyhow::Result<Self> {
        let env = Env::of_process();
        let authority = match url {
            Some(url) => authority(url)?,
            None => own_authority(options, &env),
        };
        let key = match env.secret("LITELLM_MASTER_KEY")? {
            Some(key) => Some(key),
            None => state_dir(options.state_dir.as_deref(), &env).as_deref().and_then(stored),
        };
        Ok(Self { authority, key })
    }

    async fn first_model(&self) -> anyhow::Result<String> {
        let (_, models) = self.ask(Method::GET, "/v1/models", None).await?;
        let first = models.pointer("/data/0/id").and_then(Value::as_str);
        Ok(first.unwrap_or(MODEL).to_owned())
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let authority = &self.authority;
        let stream = TcpStream::connect(authority.as_str()).await;
        let stream = stream.with_context(|| format!("no proxy listens on {authority}"))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, authority)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONNECTION, "close");
        if let Some(key) = &self.key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", key.expose()));
        }
        let body = body.map_or_else(Bytes::new, |body| body.to_string().into());
        let answering = sender.send_request(request.body(Full::new(body))?);
        let read = async {
            let (head, body) = answering.await?.into_parts();
            anyhow::Ok((head.status, body.collect().await?.to_bytes()))
        };
        let (answer, _closed) = tokio::join!(read, connection);
        let (status, body) = answer.context("the proxy did not answer")?;
        let text = || Value::String(String::from_utf8_lossy(&body).into_owned());
        Ok((status, serde_json::from_slice(&body).unwrap_or_else(|_| text())))
    }
}

/// The host and port of the options, or of a proxy that was started without any.
fn own_authority(options: &Options, env: &Env) -> String {
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
    format!("{host}:{}", port.as_deref().unwrap_or("4000"))
}

fn authority(url: &str) -> anyhow::Result<String> {
    let uri: Uri = url.parse().map_err(|_| anyhow!("--test: this is not a URL"))?;
    if uri.scheme_str() != Some("http") {
        bail!("--test: only http:// URLs can be asked");
    }
    let host = uri.host().ok_or_else(|| anyhow!("--test: the URL has no host"))?;
    Ok(format!("{host}:{}", uri.port_u16().unwrap_or(80)))
}
