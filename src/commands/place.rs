//! Where keys and spend are worked on: at a proxy that runs, or on the files of one that does not.
use super::ask::{Asked, block_on};
use crate::cli::KeysAt;
use crate::config::{
    Compat, ConversationSettings, Env, Issuing, LedgerSettings, Options, StoreSettings, state_dir,
};
use crate::persistence::Persistence;
use crate::tasks::Tasks;
use crate::telemetry::Metrics;
use anyhow::{Context, bail};
use axum::body::Body;
use bartizan_layers::auth::digest;
use bartizan_layers::facts::Principal;
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use std::io::Write;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// How long a proxy may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where keys are worked on.
pub(super) enum Place {
    /// At a proxy.
    Proxy(Asked),
    /// In a state directory, by what a proxy would do.
    Directory(axum::Router, Runtime),
}

impl Place {
    /// The proxy that was told; else the one that runs here; else the state directory.
    pub(super) fn find(at: &KeysAt) -> anyhow::Result<Self> {
        let options = Options { state_dir: at.state_dir.clone(), ..Options::default() };
        let proxy = Asked::new(&options, at.url.as_deref(), "--url")?;
        if at.url.is_some() || answers(&proxy) {
            return Ok(Self::Proxy(proxy));
        }
        let env = Env::of_process();
        let base = proxy.base();
        if env.secret("DATABASE_URL")?.is_some() {
            bail!(
                "no proxy answers at {base}, and keys are kept in the database of DATABASE_URL: \
                 start the proxy, or name one with --url"
            );
        }
        let directory = state_dir(at.state_dir.as_deref(), &env);
        let directory = directory.with_context(|| {
            format!("no proxy answers at {base}, and there is no state directory: set --state-dir")
        })?;
        let shown = directory.display();
        drop(writeln!(std::io::stderr(), "no proxy answers at {base}: working on {shown}"));
        Self::open(&directory).with_context(|| format!("what is kept in {shown} cannot be used"))
    }

    fn open(directory: &Path) -> anyhow::Result<Self> {
        let runtime = crate::server::runtime::build(Some(1));
        let runtime = runtime.context("the runtime cannot be started")?;
        let settings = StoreSettings {
            database: None,
            directory: Some(directory.to_owned()),
            ledger: LedgerSettings::default(),
            models: false,
            conversations: ConversationSettings { keep: None },
            salt: None,
        };
        let metrics = Arc::new(Metrics::new(Compat::default()));
        let tasks = Tasks::default();
        let kept = runtime.block_on(Persistence::open(Some(&settings), &metrics, &tasks));
        // A proxy that starts meanwhile hears of changes by itself.
        let routes = kept.managing(Compat::default(), Issuing::default(), None);
        let routes = routes.filter(|_| kept.is_lasting()).context("they cannot be written")?;
        Ok(Self::Directory(routes, runtime))
    }

    /// Asks, and reads the answer.
    pub(super) fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        match self {
            Self::Proxy(proxy) => read(block_on(proxy.ask(method, path, body))??),
            Self::Directory(router, runtime) => {
                let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
                // Who can write the files may do everything.
                let who =
                    Principal { admin: true, ..Principal::new("bartizan_keys", "default_user_id") };
                let request = Request::builder().method(method).uri(path).extension(who);
                let request = request.header(header::CONTENT_TYPE, "application/json");
                let asking = router.clone().oneshot(request.body(body)?);
                let answer = runtime.block_on(async {
                    let Ok(answer) = asking.await;
                    let (head, body) = answer.into_parts();
                    body.collect().await.map(|body| (head.status, body.to_bytes()))
                });
                let (status, body) = answer?;
                read((status, serde_json::from_slice(&body).unwrap_or_default()))
            }
        }
    }
}

/// Whether something listens where a proxy would.
fn answers(proxy: &Asked) -> bool {
    let base = proxy.base();
    let (Some(host), Some(port)) = (base.host(), base.port_u16()) else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let places = (host, port).to_socket_addrs().into_iter().flatten();
    places.into_iter().any(|place| TcpStream::connect_timeout(&place, PATIENCE).is_ok())
}

/// What an answer means: its JSON, or an error.
fn read((status, answer): (StatusCode, Value)) -> anyhow::Result<Value> {
    if status.is_success() {
        return Ok(answer);
    }
    let told = ["/error/message", "/detail/error", "/detail/0/msg", "/detail"];
    let told = told.iter().find_map(|path| answer.pointer(path)?.as_str());
    let told = told.map_or_else(|| answer.to_string(), str::to_owned);
    match status {
        StatusCode::UNAUTHORIZED => {
            bail!("{told} (set LITELLM_MASTER_KEY to the key of an admin)")
        }
        _ => bail!("{told} ({status})"),
    }
}

/// What a key is found by.
pub(super) fn digest_of(text: &str) -> String {
    digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
