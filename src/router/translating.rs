//! A request on its way to a provider that does not speak its client's dialect.
use super::Rules;
use super::deployment::Deployment;
use super::error::RouteError;
use super::keeping::Keeping;
use super::leaf::{Leaf, Sending};
use super::outgoing::{VERSION, is_segments};
use super::translated::fetched;
use crate::config::Members;
use crate::conversations::Continued;
use crate::data::Wire;
use crate::forward::{Deadlines, ForwardError, Forwarder};
use crate::providers::chat::{Client, Elapsed, Malformed, Source, Target};
use crate::providers::translate::{Draft, Edits, Protocol, Translated, Translation};
use crate::providers::{Operation, Prompt};
use bartizan_layers::body::Body;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};
use std::sync::Arc;
use std::time::SystemTime;
use tokio::time::Instant;

/// A request in its provider's words.
#[derive(Debug)]
pub(super) struct Translating {
    /// The provider's path.
    pub(super) path: Uri,
    /// The body, and how its answer is read.
    pub(super) written: Translated,
    /// What its answer is kept with.
    pub(super) keeping: Option<Keeping>,
    /// What is written anew once the media that it names are there.
    outside: Option<(Draft, About)>,
}

/// Whom a draft is written for.
#[derive(Clone, Debug)]
struct About {
    deployment: Arc<Deployment>,
    model: Box<str>,
    max_output: Option<u64>,
    thinks: Option<bool>,
    forced: Option<Arc<Members>>,
    client: Client,
}

impl Translating {
    /// Translates the `prompt` for the `model` of `deployment`.
    ///
    /// # Errors
    /// When the prompt is not what its dialect says, or the provider cannot be asked this.
    pub(super) fn new(
        translation: Translation,
        rules: &Rules,
        (deployment, model): (&Arc<Deployment>, &str),
        prompt: &Prompt,
        head: &Parts,
    ) -> Result<Self, RouteError> {
        let keeping = (translation.client == Protocol::Responses)
            .then(|| Keeping::of(rules, &head.extensions, prompt))
            .flatten();
        let mut about = About::new(translation, deployment, model, prompt, &head.uri);
        about.client.keeps = keeping.is_some();
        // Taken apart and written: as much again, twice.
        let whole = prompt.text.whole();
        if !prompt.held.hold_more(2 * whole.len()) {
            return Err(RouteError::NoMemory);
        }
        let fit = deployment.config().fit.over(&rules.settings.fit);
        let draft = translation.read(&whole, &about.edits(), fit)?;
        let provider = deployment.config().provider;
        let in_cloud = provider.wire == Wire::Vertex;
        let mut draft = draft.streaming(prompt.stream).with_media_inside(in_cloud);
        if let Some(Continued { previous: Some(previous), .. }) = head.extensions.get() {
            draft = draft.continuing(previous);
        }
        let kept = (!draft.media_outside().is_empty()).then(|| (draft.clone(), about.clone()));
        // Whether it can be asked at all is known before they are fetched.
        for media in draft.media_outside() {
            media.source = Source::Base64(String::new());
            media.media_type = Some("image/png".to_owned());
        }
        let written = about.write(draft)?;
        let bad = || RouteError::BadPath { route: "/chat/completions", model: model.into() };
        let is_bad = match translation.provider {
            Protocol::Converse => matches!(model, "" | "." | ".."),
            Protocol::Gemini => !is_segments(model),
            _ => in_cloud && !is_segments(model),
        };
        if is_bad {
            return Err(bad());
        }
        let path = translation.path(provider, model, prompt.stream).map_err(|_| bad())?;
        Ok(Self { path, written, keeping, outside: kept })
    }

    /// Sends `req`, whose body is the one that was written, or one with the media in it.
    pub(super) fn send(
        self,
        mut req: Request<Body>,
        (leaf, forwarder): (&Leaf, &Forwarder),
        deadlines: Deadlines,
        operation: &Operation,
        prompt: &Prompt,
    ) -> Sending {
        let Some((mut draft, about)) = self.outside else {
            return leaf.send(req, deadlines, operation, prompt);
        };
        let (leaf, forwarder) = (leaf.clone(), forwarder.clone());
        let (operation, prompt) = (operation.clone(), prompt.clone());
        Sending::Made(Box::pin(async move {
            fetched(&forwarder, draft.media_outside(), &*prompt.held).await?;
            let written = about.write(draft);
            let written = written.map_err(|error| ForwardError::RequestBody(error.into()))?;
            *req.body_mut() = Body::Full(written.body);
            leaf.send(req, deadlines, &operation, &prompt).await
        }))
    }
}

impl About {
    fn new(
        translation: Translation,
        deployment: &Arc<Deployment>,
        model: &str,
        prompt: &Prompt,
        uri: &Uri,
    ) -> Self {
        let known = deployment.catalogued_as(model).or_else(|| deployment.catalogued());
        let sse = uri.query().is_some_and(|query| query.split('&').any(|it| it == "alt=sse"));
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let began = Instant::now();
        let client = Client {
            id: format!("{:032x}", fastrand::u128(..)),
            created: now.map_or(0, |since| since.as_secs()),
            model: model.to_owned(),
            elapsed: Elapsed::by(move || began.elapsed()),
            array: translation.client == Protocol::Gemini && prompt.stream && !sse,
            ..Client::default()
        };
        Self {
            deployment: deployment.clone(),
            model: model.into(),
            max_output: known.as_ref().and_then(|known| known.max_output_tokens).map(Into::into),
            thinks: known.map(|known| known.supports.has("reasoning")),
            forced: prompt.forced.clone(),
            client,
        }
    }

    fn edits(&self) -> Edits<'_> {
        let config = self.deployment.config();
        Edits {
            defaults: &config.defaults,
            forced: self.forced.as_deref().map_or(&[], |members| members),
            extra_body: &config.extra_body,
            drop: &config.drop,
            stream_usage: config.tells_usage_of_streams(),
        }
    }

    fn write(&self, draft: Draft) -> Result<Translated, Malformed> {
        let config = self.deployment.config();
        let target = Target {
            provider: config.provider.name,
            row: Some(config.provider),
            model: &config.spelled(&self.model),
            like: self.deployment.like(&self.model),
            max_output: self.max_output,
            thinks: self.thinks,
            modify: false,
        };
        draft.write(&target, &self.edits(), self.client.clone())
    }
}

/// Headers that say something in one dialect alone, or to the vendor of a coding tool.
const OF_DIALECTS: [&str; 7] =
    ["anthropic-", "openai-", "x-goog-", "x-stainless-", "x-codex-", "x-claude-code-", "x-fern-"];

/// Takes what only the client's dialect knows out of `headers`, but for those that the deployment
/// has of its `own`, and puts in what the provider's needs.
pub(super) fn fit_headers(
    headers: &mut HeaderMap,
    own: &[(HeaderName, HeaderValue)],
    provider: Protocol,
    needed: &[(&'static str, String)],
) {
    let anthropic = provider == Protocol::Messages;
    let foreign = |name: &HeaderName| {
        let name = name.as_str();
        let known = anthropic && name.starts_with("anthropic-");
        !known && OF_DIALECTS.iter().any(|start| name.starts_with(start))
    };
    let ours = |name: &HeaderName| own.iter().any(|(own, _)| own == name);
    let gone: Vec<HeaderName> =
        headers.keys().filter(|name| foreign(name) && !ours(name)).cloned().collect();
    gone.iter().for_each(|name| drop(headers.remove(name)));
    if anthropic && !headers.contains_key(VERSION) {
        headers.insert(VERSION, HeaderValue::from_static("2023-06-01"));
    }
    for (name, value) in needed {
        // Lists, of which a request should have one.
        let before = headers.get(*name).and_then(|value| value.to_str().ok());
        let all = before.map_or_else(|| value.clone(), |before| format!("{before},{value}"));
        if let Ok(value) = HeaderValue::try_from(all) {
            headers.insert(*name, value);
        }
    }
}
