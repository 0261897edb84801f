//! A request for its provider: the client's own, edited, or one in the provider's words.
use super::deployment::Deployment;
use super::error::RouteError;
use super::outgoing::target;
use super::translating::Translating;
use super::{Rules, Settings};
use crate::providers::openai::{EditPlan, edited};
use crate::providers::translate::Translation;
use crate::providers::{Operation, Prompt};
use bartizan_layers::body::Body;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Uri};
use std::sync::Arc;

/// What of a request its provider could not be told, as a header.
#[derive(Clone, Debug)]
pub(super) struct Dropped(pub(super) Option<HeaderValue>);

/// A request for its provider.
pub(super) struct Made {
    pub(super) uri: Uri,
    pub(super) body: Body,
    pub(super) usage_is_ours: bool,
    pub(super) translating: Option<Translating>,
}

impl Made {
    /// The client's own, edited.
    pub(super) fn edited(
        rules: &Rules,
        deployment: &Deployment,
        model_json: &Bytes,
        (operation, model): (&Operation, &str),
        prompt: &Prompt,
        head: &Parts,
    ) -> Result<Self, RouteError> {
        let plan = plan(&rules.settings, deployment.config(), model_json);
        let edited = edited(operation, prompt, &plan)
            .map_err(|twice| RouteError::Duplicate(twice.to_string()))?;
        Ok(Self {
            uri: target(operation, model, &head.uri)?,
            body: edited.body,
            usage_is_ours: edited.usage_is_ours,
            translating: None,
        })
    }

    /// One in the provider's words.
    pub(super) fn translated(
        rules: &Rules,
        deployment: &Arc<Deployment>,
        translation: Translation,
        model: &str,
        prompt: &Prompt,
        head: &Parts,
    ) -> Result<Self, RouteError> {
        let whom = (deployment, model);
        let made = Translating::new(translation, &rules.settings, whom, prompt, &head.uri)?;
        Ok(Self {
            uri: made.path.clone(),
            body: Body::Full(made.written.body.clone()),
            usage_is_ours: false,
            translating: Some(made),
        })
    }
}

fn plan<'a>(
    settings: &Settings,
    config: &'a crate::config::Deployment,
    model: &'a Bytes,
) -> EditPlan<'a> {
    EditPlan {
        model,
        defaults: &config.defaults,
        extra_body: &config.extra_body,
        stream_usage: settings.stream_usage && config.provider.stream_usage,
        drop: &config.drop,
        keep_metadata: settings.forward_metadata,
    }
}
