//! What a call asks for whose body is not ours to understand, of callers who are bounded: which
//! models, and which objects.
use super::budget::Share;
use super::flow::Flow;
use super::ingest::IngestError;
use super::owned;
use crate::identity::{Caller, Denied, Sought};
use crate::providers::{Problem, Raw, Selected};
use bartizan_layers::BoxError;
use bartizan_layers::auth::AuthError;
use bartizan_layers::facts::Call;
use bartizan_layers::query::{decoded, parameters, percent_decoded};
use bartizan_layers::wire::scan::scan;
use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};

/// Bodies that no provider takes for JSON.
const NO_JSON: [&str; 5] = ["multipart/", "audio/", "image/", "video/", "application/octet-stream"];

/// What a body says.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The models that it names.
    pub(super) models: Vec<Box<str>>,
    /// The objects that it names.
    pub(super) named: Vec<Box<str>>,
}

impl Said {
    /// What JSON says.
    pub(super) fn of(body: &[u8]) -> Self {
        let model = scan(body).ok().and_then(|object| {
            let members = object.members().iter().filter(|member| member.key() == b"model");
            // Of two nobody knows which one the provider takes: both have to be allowed.
            members
                .map(|member| member.value().as_str().map(|model| bare(&model)))
                .collect::<Option<Vec<_>>>()
        });
        Self { models: model.unwrap_or_default(), named: owned::of_json(body) }
    }

    /// Leaves it for those who know what is allowed: the `groups` are asked for by the config's
    /// names, with commas between them.
    pub(super) fn tell(self, parts: &mut Parts, provider: &str, groups: &str, may_have_none: bool) {
        let facts = &mut parts.extensions;
        owned::tell(self.named, facts);
        facts.insert(Sought { provider: provider.into(), models: self.models, may_have_none });
        facts.insert(Call { group: groups.into(), stream: false, end_user: None });
    }
}

/// A model as lists have it: Gemini's names begin with a folder.
fn bare(model: &str) -> Box<str> {
    model.strip_prefix("models/").unwrap_or(model).into()
}

/// The model that a provider's own path names.
fn of_path(path: &str) -> Option<Box<str>> {
    let path = percent_decoded(path)?;
    let mut parts = path.split('/');
    let before = ["models", "tunedModels", "deployments", "engines", "model"];
    parts.find(|part| before.contains(part))?;
    let model = parts.next().filter(|model| !model.is_empty())?;
    Some(model.rsplit_once(':').map_or(model, |(model, _)| model).into())
}

/// Reads what a bounded caller asks of a provider's own path: all of the body, where that may be
/// JSON.
///
/// # Errors
///
/// When it cannot be read, or the caller may not do that.
pub(super) async fn raw<B>(
    flow: &mut Flow<B>,
    asked: &Raw,
    caller: &Caller,
    parts: &Parts,
    (share, cap): (&Share, usize),
) -> Result<Option<(Said, Bytes)>, BoxError>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    let is_own = asked.provider == "pass_through";
    if caller.names(parts.uri.path()) || (is_own && !caller.has_models()) {
        return Ok(None);
    }
    let changes = [Method::DELETE, Method::PUT, Method::PATCH].contains(&parts.method);
    if changes && !is_own && !owned::leads_to_objects(&asked.path) {
        return Err(AuthError::Denied(Denied::Unowned.into()).into());
    }
    let mut held = BytesMut::new();
    if may_be_json(&parts.headers) && !http_body::Body::is_end_stream(flow) {
        if parts.headers.contains_key(header::CONTENT_ENCODING) {
            return Err(IngestError::Encoding.into());
        }
        while let Some(data) = flow.next(held.len(), share).await? {
            held.extend_from_slice(&data);
            if held.len() > cap {
                return Err(IngestError::TooLarge(cap).into());
            }
        }
    }
    let held = held.freeze();
    let mut said = Said::of(&held);
    said.models.extend(of_path(&asked.path));
    Ok(Some((said, held)))
}

/// The names of the config by which a request selects the account of its objects, with commas
/// between them.
pub(super) fn groups(parts: &Parts, selected: &Selected) -> String {
    let query = parameters(parts.uri.query().unwrap_or_default()).filter_map(|parameter| {
        let name = decoded(parameter.name)?;
        let selects = ["model", "target_model_names"].contains(&name.as_str());
        selects.then(|| decoded(parameter.value)).flatten()
    });
    let told = parts.headers.get("x-litellm-model").and_then(|told| told.to_str().ok());
    let named = query.chain(told.map(str::to_owned));
    named.chain(selected.model.as_deref().map(str::to_owned)).collect::<Vec<_>>().join(",")
}

fn may_be_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().trim().to_ascii_lowercase();
    !NO_JSON.iter().any(|other| kind.starts_with(other))
}

/// Refuses a body about objects of which a part could not be read.
pub(super) fn unread(most: usize) -> IngestError {
    let message = format!(
        "A request about objects at a provider may have {most} bytes here, as JSON or as a form, \
         without `content-encoding`: what it names has to be read."
    );
    let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message);
    IngestError::Refused(Box::new(problem))
}

#[cfg(test)]
mod tests {
    use super::{Said, of_path};

    #[test]
    fn a_path_or_a_body_names_the_model() {
        for (path, model) in [
            ("/v1beta/models/gemini-2.5-flash:generateContent", Some("gemini-2.5-flash")),
            ("/v1beta/models/a%3Ab:countTokens", Some("a:b")),
            ("/openai/deployments/gpt/chat/completions", Some("gpt")),
            ("/model/anthropic.claude-v2/converse", Some("anthropic.claude-v2")),
            ("/v1/models", None),
            ("/v1/messages", None),
        ] {
            assert_eq!(of_path(path).as_deref(), model, "{path}");
        }
        let models = |body: &str| Said::of(body.as_bytes()).models.join(",");
        assert_eq!(models(r#"{"model":"m","messages":[]}"#), "m");
        assert_eq!(models(r#"{"mod\u0065l":"models/m","model":"n"}"#), "m,n");
        assert_eq!(models(r#"{"model":["m"],"model":"n"}"#), "");
        assert_eq!(models("nothing"), "");
    }
}
