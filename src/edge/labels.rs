//! What a request says of itself besides what it asks for: tags, its session, whom it is for.
use super::asked::{Asked, Field};
use super::entitled;
use super::wanted::Read;
use crate::identity::Tags;
use crate::providers::Problem;
use crate::telemetry::Told;
use bartizan_layers::facts::{Call, Peer};
use bartizan_layers::wire::scan::{Value, scan};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, header};
use std::sync::Arc;

/// Tags, with commas between them.
const TAGS: HeaderName = HeaderName::from_static("x-litellm-tags");
/// The session that a call belongs to; the first one counts.
static SESSIONS: [HeaderName; 2] = [
    HeaderName::from_static("x-litellm-session-id"),
    HeaderName::from_static("x-litellm-trace-id"),
];
/// What is to be kept with the record of a call: a JSON object.
const METADATA: HeaderName = HeaderName::from_static("x-litellm-spend-logs-metadata");
/// Whether what a call says is not to be kept: `true`.
const CONFIDENTIAL: HeaderName = HeaderName::from_static("x-litellm-enable-message-redaction");
/// A name that a client gives is kept up to so many bytes.
const LONGEST: usize = 256;
/// So many tags of one call are told apart.
const MOST: usize = 64;

/// The tags of a call: those of its header, those `of_body`, its key's and its team's, each once.
pub(super) fn tags_of(
    of_body: impl IntoIterator<Item = Box<str>>,
    headers: &HeaderMap,
    facts: &Extensions,
) -> Option<Tags> {
    let mut tags: Vec<Box<str>> = Vec::new();
    let mut add = |tag: &str| {
        if !tag.is_empty() && tags.len() < MOST && !tags.iter().any(|known| **known == *tag) {
            tags.push(shortened(tag).into());
        }
    };
    let headers = headers.get_all(TAGS).iter().filter_map(|value| value.to_str().ok());
    headers.flat_map(|value| value.split(',')).for_each(|tag| add(tag.trim()));
    of_body.into_iter().for_each(|tag| add(&tag));
    if let Some(caller) = entitled::caller(facts) {
        caller.tags().for_each(add);
    }
    (!tags.is_empty()).then(|| Tags(tags.into()))
}

/// The tags in a body.
///
/// # Errors
///
/// If a member that may hold some stands twice.
pub(super) fn of_body(asked: &Asked<'_>, read: &Read<'_>) -> Result<Vec<Box<str>>, Problem> {
    let mut is_any = false;
    for field in [Field::Tags, Field::Metadata, Field::LitellmMetadata] {
        is_any |= asked.get(field)?.is_some();
    }
    if !is_any {
        return Ok(Vec::new());
    }
    // Of a long value the outline does not have the inside.
    let whole = (read.text.cuts() > 0).then(|| read.text.whole());
    let whole = whole.as_deref().map(scan).transpose().ok().flatten();
    let whole = whole.as_ref().map(Asked::of);
    let asked = whole.as_ref().unwrap_or(asked);
    let inside = |field| Ok(asked.get(field)?.and_then(|value| value.get("tags")));
    let lists =
        [asked.get(Field::Tags)?, inside(Field::Metadata)?, inside(Field::LitellmMetadata)?];
    let lists = lists.into_iter().flatten().filter(|list| list.is_array());
    let tags = lists.flat_map(Value::elements).filter_map(|tag| tag.as_str());
    Ok(tags.map(|tag| tag.as_ref().into()).collect())
}

/// What is told of a request where it is booked.
pub(super) fn told(
    asked: Option<&Asked<'_>>,
    headers: &HeaderMap,
    facts: &Extensions,
    end_user: Option<&Arc<str>>,
) -> Told {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let of_body = || asked?.get(Field::SessionId).ok().flatten()?.as_str();
    let session = SESSIONS.iter().find_map(text).map(shortened).map(Into::into);
    let session = session.or_else(|| of_body().map(|text| shortened(&text).into()));
    let agent = headers.get(header::USER_AGENT).map(HeaderValue::to_str);
    Told {
        end_user: end_user.cloned(),
        model: facts.get().and_then(|call: &Call| named(&call.group)),
        tags: facts.get::<Tags>().map(|tags| tags.0.clone()).unwrap_or_default(),
        session,
        metadata: text(&METADATA).filter(|text| is_object(text)).map(Into::into),
        ip: facts.get().map(|Peer(peer)| peer.ip().to_canonical()),
        user_agent: agent.and_then(Result::ok).map(|agent| shortened(agent).into()),
        held: None,
    }
}

/// Whether the client wants nothing to be kept of what it says.
pub(super) fn is_confidential(headers: &HeaderMap) -> bool {
    let told = headers.get(CONFIDENTIAL).map(HeaderValue::as_bytes);
    told.is_some_and(|told| told.eq_ignore_ascii_case(b"true") || told == b"1")
}

fn named(model: &str) -> Option<Box<str>> {
    Some(shortened(model)).filter(|model| !model.is_empty()).map(Into::into)
}

fn is_object(text: &str) -> bool {
    serde_json::from_str::<serde_json::Map<_, _>>(text).is_ok()
}

/// What is told apart of a name that a client chooses.
pub(super) fn shortened(name: &str) -> &str {
    name.split_at(name.floor_char_boundary(LONGEST)).0
}
