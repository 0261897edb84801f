//! A request on its way from one dialect to another.
use super::embeddings;
use super::fit::pass;
use super::reply::Reply;
use super::words::{request, written};
use super::{Protocol, Translation};
use crate::config::Fit;
use crate::providers::bedrock;
use crate::providers::chat::{
    self, Client, Content, Lost, Malformed, Media, MediaKind, Qualified, Request, Source, Taking,
    Target, Tool, Written,
};
use crate::providers::openai::{self, is_litellm_field};
use bytes::Bytes;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// What a deployment changes in a request: names, and values as JSON text.
#[derive(Clone, Copy, Debug)]
pub struct Edits<'a> {
    /// Parameters for requests that do not bring their own.
    pub defaults: &'a [(String, Bytes)],
    /// Parameters that replace the client's: those of a fallback.
    pub forced: &'a [(String, Bytes)],
    /// Parameters for the provider, in its own words.
    pub extra_body: &'a [(String, Bytes)],
    /// Parameters that are taken out of all requests.
    pub drop: &'a [String],
    /// Whether the provider may be asked to tell usage in a stream (`stream_options`).
    pub stream_usage: bool,
}

/// A request that was read, and not yet written.
#[derive(Clone, Debug)]
pub struct Draft {
    translation: Translation,
    fit: Fit,
    asked: Asked,
    echo: Map<String, Value>,
    /// How long it was, in bytes: no dialect is much shorter than the others.
    len: usize,
    /// Members that are sent all the same where the provider has no place for them.
    allowed: Map<String, Value>,
    /// Whether media must stand in the request itself, since the provider fetches none.
    media_inside: bool,
}

/// What is asked for.
#[derive(Clone, Debug)]
enum Asked {
    Chat(Box<Request>),
    /// Embeddings, as OpenAI asks for them, and what is lost already.
    Embeddings(Map<String, Value>, Lost),
}

/// A request in the provider's words.
#[derive(Debug)]
pub struct Translated {
    /// Its body.
    pub body: Bytes,
    /// Headers that it needs.
    pub headers: Vec<(&'static str, String)>,
    /// How to read its answer.
    pub reply: Reply,
}

impl Translation {
    /// Reads a client's request, with what its deployment changes in it.
    ///
    /// # Errors
    /// When it is not what the client's dialect says.
    pub fn read(self, body: &[u8], edits: &Edits<'_>, mut fit: Fit) -> Result<Draft, Malformed> {
        let len = body.len();
        let mut body: Map<String, Value> = chat::read(body)
            .map_err(|error| Malformed::new("request_body", format!("Invalid JSON: {error}")))?;
        if self.client.is_openais() {
            fit.drop = body.take_bool("drop_params").or(fit.drop);
            fit.allowed
                .extend(body.take_array("allowed_openai_params").into_iter().map(chat::text_of));
            let named = body.take_array("additional_drop_params").into_iter().map(chat::text_of);
            named.for_each(|name| drop(body.shift_remove(&name)));
            strip(&mut body, self.client);
        }
        edits.apply(&mut body, self.client);
        if self.client == Protocol::Responses && body.get(PREVIOUS).is_some_and(|id| !id.is_null())
        {
            return Err(Malformed::new(PREVIOUS, NOT_KEPT));
        }
        let allowed = |name: &String| Some((name.clone(), body.get(name)?.clone()));
        let allowed = fit.allowed.iter().filter_map(allowed).collect();
        let echo = match self.client {
            Protocol::Responses => openai::responses::echo(&body),
            client => embeddings::echo(client, &body),
        };
        let asked = match self.client {
            client if client.is_embeddings() => {
                let mut lost = Lost::default();
                let body = embeddings::asked(client, self.provider, body, &mut lost)?;
                Asked::Embeddings(body, lost)
            }
            client => Asked::Chat(Box::new(request(client, body)?)),
        };
        let media_inside = self.provider.wants_media_inside();
        Ok(Draft { translation: self, fit, asked, echo, len, allowed, media_inside })
    }
}

/// The member that names a response to go on from. Where that is kept, it is gone by now.
const PREVIOUS: &str = "previous_response_id";

const NOT_KEPT: &str = "The response of `previous_response_id` is not found: it is another \
                        provider's, or was not stored, or is too old. Send the conversation in \
                        `input`.";

/// Takes LiteLLM's own fields out (contract 3.3).
fn strip(body: &mut Map<String, Value>, client: Protocol) {
    let stored = body.get("store") == Some(&Value::Bool(true)) || client == Protocol::Responses;
    body.retain(|name, _| !is_litellm_field(name.as_bytes()) && (stored || name != "metadata"));
}

impl Edits<'_> {
    fn apply(&self, body: &mut Map<String, Value>, client: Protocol) {
        self.drop.iter().for_each(|name| drop(body.shift_remove(name)));
        let value = |json: &Bytes| serde_json::from_slice::<Value>(json).unwrap_or_default();
        let theirs = |(name, _): &&(String, Bytes)| !is_litellm_field(name.as_bytes());
        for (name, json) in self.forced.iter().filter(theirs) {
            body.insert(name.clone(), value(json));
        }
        for (name, json) in self.defaults {
            let absent = |name: &str| body.get(name).is_none_or(Value::is_null);
            let Some(name) = client.dialect().parameter(name) else { continue };
            let name = match (client, name) {
                (Protocol::Responses, "max_tokens") => "max_output_tokens",
                (_, "max_tokens") if !absent("max_completion_tokens") => continue,
                (_, "max_completion_tokens") if !absent("max_tokens") => continue,
                (_, name) => name,
            };
            if absent(name) && !self.drop.iter().any(|dropped| dropped == name) {
                body.insert(name.to_owned(), value(json));
            }
        }
    }
}

impl Draft {
    /// Says whether the client wants a stream, where its dialect says so in the path.
    #[must_use]
    pub fn streaming(mut self, stream: bool) -> Self {
        if let Asked::Chat(request) = &mut self.asked {
            request.stream = stream;
        }
        self
    }

    /// Has media in the request itself, where the provider fetches none though others of its
    /// dialect do.
    #[must_use]
    pub fn with_media_inside(self, inside: bool) -> Self {
        Self { media_inside: self.media_inside || inside, ..self }
    }

    /// Repeats in the answer which response the request goes on from.
    #[must_use]
    pub fn continuing(mut self, previous: &str) -> Self {
        self.echo.insert(PREVIOUS.to_owned(), previous.into());
        self
    }

    /// Media that stand elsewhere on the web, where the provider must have them in the request:
    /// they are to be replaced before it is written.
    pub fn media_outside(&mut self) -> Vec<&mut Media> {
        if !self.media_inside {
            return Vec::new();
        }
        let Asked::Chat(request) = &mut self.asked else { return Vec::new() };
        let blocks = request.turns.iter_mut().flat_map(|turn| &mut turn.blocks);
        let mut found = Vec::new();
        for block in blocks {
            match &mut block.content {
                Content::Media(media) => found.push(media),
                Content::ToolResult(result) => {
                    found.extend(result.blocks.iter_mut().filter_map(|it| match &mut it.content {
                        Content::Media(media) => Some(media),
                        _ => None,
                    }));
                }
                _ => {}
            }
        }
        found.retain(|media| is_outside(media, self.translation.provider));
        found
    }

    /// Writes it for `target`.
    ///
    /// # Errors
    /// When the provider cannot be asked this.
    pub fn write(
        self,
        target: &Target<'_>,
        edits: &Edits<'_>,
        mut client: Client,
    ) -> Result<Translated, Malformed> {
        let Translation { client: from, provider: to } = self.translation;
        let mut lost = Lost::default();
        let written = match self.asked {
            Asked::Embeddings(body, already) => {
                lost = already;
                client.base64 =
                    body.get("encoding_format").and_then(Value::as_str) == Some("base64");
                client.echo = self.echo;
                let body = embeddings::written(to, body, target, &mut lost)?;
                Written { body, ..Written::default() }
            }
            Asked::Chat(request) => {
                (client.custom, client.qualified) = called(&request.tools);
                client.stream_usage |= request.stream_usage;
                client.merge_thoughts = self.fit.merge_thoughts;
                client.echo = self.echo;
                let target = Target { modify: self.fit.modify, ..*target };
                written(to, *request, &target, &mut lost)?
            }
        };
        let Written { mut body, headers, memo, rest } = written;
        if !edits.stream_usage {
            body.shift_remove("stream_options");
        }
        let mut beside = Map::new();
        pass(rest, from, &mut beside, &mut lost);
        beside.extend(self.allowed.into_iter().filter(|(name, _)| lost.take_back(name)));
        if to == Protocol::Converse && !beside.is_empty() {
            bedrock::more_fields(&mut body).extend(beside);
        } else {
            body.extend(beside);
        }
        self.fit.judge(&lost, from, target.provider, target.model)?;
        for (name, json) in edits.extra_body {
            let value = serde_json::from_slice(json).unwrap_or_default();
            body.insert(name.clone(), value);
        }
        let body = chat::written(&Value::Object(body), self.len).into();
        Ok(Translated { body, headers, reply: Reply::new(self.translation, memo, client, lost) })
    }
}

/// The names of tools that take free text, and what the client calls those with longer names.
fn called(tools: &[Tool]) -> (Vec<String>, HashMap<String, Qualified>) {
    let functions = tools.iter().filter_map(|tool| match tool {
        Tool::Function(function) => Some(function),
        Tool::Hosted(_) => None,
    });
    let customs = functions.clone().filter(|function| function.custom);
    let qualified = functions.filter_map(|function| {
        let own = function.qualified.clone()?;
        Some((function.name.clone(), own))
    });
    (customs.map(|function| function.name.clone()).collect(), qualified.collect())
}

/// Whether media stand where the provider does not look: on the web. Gemini reads what Google
/// keeps, and films of YouTube.
fn is_outside(media: &Media, provider: Protocol) -> bool {
    let Source::Url(url) = &media.source else { return false };
    if media.kind != MediaKind::Image {
        return false;
    }
    let web = url.starts_with("https://") || url.starts_with("http://");
    let googles = [
        "https://generativelanguage.googleapis.com/",
        "https://www.youtube.com/",
        "https://youtu.be/",
    ];
    web && !(provider == Protocol::Gemini && googles.iter().any(|start| url.starts_with(start)))
}
