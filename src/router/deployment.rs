//! One deployment, ready to be called: its upstreams, its credential, its headers.
use super::cooldown;
use super::dress::Dresser;
use super::leaf::{Leaf, leaf, native_leaf, polyglot, reranking};
use super::named::{answer_headers, labels};
use super::room::{Room, Rooms};
use crate::config::{self, Cooldown};
use crate::credentials::Credentials;
use crate::data::{self, Quirks, Wire};
use crate::providers::translate::Protocol;
use crate::providers::vertex::Place;
use crate::providers::{CohereCall, Dialect, Operation};
use crate::telemetry::{DeploymentLabels, Metrics, Observed};
use bartizan_layers::breaker::{BreakerLayer, Gate, Policy, Rule};
use bartizan_layers::facts::{LookUp, Price};
use bartizan_layers::redis::Redis;
use bytes::Bytes;
use std::borrow::Cow;
use std::sync::Arc;

/// A deployment and everything that calls to it need, made once.
#[derive(Debug)]
pub struct Deployment {
    config: config::Deployment,
    labels: Arc<DeploymentLabels>,
    observed: Observed,
    openai: Option<Leaf>,
    native: Option<(Protocol, Leaf)>,
    /// Where a provider that speaks all dialects takes Anthropic's, and Gemini's.
    polyglot: Option<Box<[Leaf; 2]>>,
    /// Where Cohere has both of its versions.
    rerank: Option<Box<[Leaf; 2]>>,
    dresser: Dresser,
    breaker: BreakerLayer,
    gate: Gate,
    room: Room,
    model_json: Bytes,
    /// How its model is asked otherwise than OpenAI's.
    quirks: Quirks,
    /// What its model costs, with the provider's discount and margin.
    pub(super) price: Arc<Price>,
    /// Who knows the price of the model that an answer names; `None` where it is known before.
    pub(super) look_up: Option<LookUp>,
}

impl Deployment {
    /// Prepares `config` for calls with its `credentials`. What was learnt of it under the config
    /// `before` still holds.
    #[must_use]
    pub(super) fn new(
        config: config::Deployment,
        rests: (&Cooldown, Option<&Redis>),
        rooms: &mut Rooms<'_>,
        credentials: &Credentials,
        metrics: &Arc<Metrics>,
        before: Option<&Self>,
    ) -> Self {
        let labels = Arc::new(labels(&config));
        metrics.add_deployment(&labels);
        let gate = cooldown::gate(&config, rests, &labels, metrics, before);
        let mut deployment = Self::labelled(config, labels, gate, credentials, metrics);
        deployment.room = rooms.of(&deployment.config, deployment.catalogued().as_ref(), before);
        deployment
    }

    /// Prepares an account at a provider, which is nobody's model.
    pub(super) fn account(
        config: config::Deployment,
        credentials: &Credentials,
        metrics: &Metrics,
    ) -> Self {
        let blank = || Arc::from("");
        let labels = DeploymentLabels {
            model_group: blank(),
            model: blank(),
            litellm_model_name: blank(),
            ..labels(&config)
        };
        let gate = Gate::new(Policy::new(Rule::Never));
        Self::labelled(config, Arc::new(labels), gate, credentials, metrics)
    }

    fn labelled(
        config: config::Deployment,
        labels: Arc<DeploymentLabels>,
        gate: Gate,
        credentials: &Credentials,
        metrics: &Metrics,
    ) -> Self {
        let leaf = |dialect| leaf(&config, credentials, dialect);
        let mut deployment = Self {
            price: Arc::default(),
            look_up: None,
            observed: metrics.observed(config.provider.name),
            openai: leaf(Dialect::OpenAi),
            native: native_leaf(&config, credentials),
            polyglot: polyglot(&config, credentials),
            rerank: reranking(&config, credentials),
            dresser: Dresser::new(answer_headers(&labels)).region(config.region.as_deref()),
            breaker: BreakerLayer::new(gate.clone()),
            gate,
            room: Room::default(),
            model_json: json_string(&config.spelled(&config.model)),
            quirks: Quirks::NONE,
            labels,
            config,
        };
        let like = deployment.like(&deployment.config.model);
        deployment.quirks = deployment.config.provider.quirks_of(like);
        let price = deployment.listed_price();
        // Where nothing of a provider costs anything, an answer will not say otherwise.
        if price.is_none() && data::models_of(deployment.config.provider.name).next().is_some() {
            let factor = deployment.config.cost_factor;
            let provider = deployment.config.provider.name;
            let known = move |model: &str| {
                data::model(&format!("{provider}/{model}")).or_else(|| data::model(model))
            };
            let priced = move |model: &str| Some(known(model)?.price.times(factor));
            deployment.look_up = Some(LookUp::new(priced));
        }
        deployment.price = Arc::new(deployment.charged(price));
        deployment
    }

    /// What it was made from.
    #[must_use]
    pub const fn config(&self) -> &config::Deployment {
        &self.config
    }

    pub(super) const fn labels(&self) -> &Arc<DeploymentLabels> {
        &self.labels
    }

    pub(super) const fn observed(&self) -> &Observed {
        &self.observed
    }

    /// Whether it takes calls now.
    #[must_use]
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Whether it has room for one more call.
    pub(super) const fn room(&self) -> &Room {
        &self.room
    }

    /// Rests it after failures.
    pub(super) const fn breaker(&self) -> &BreakerLayer {
        &self.breaker
    }

    /// Makes the headers of its answers.
    pub(super) const fn dresser(&self) -> &Dresser {
        &self.dresser
    }

    /// Where it takes calls in `dialect`.
    pub(super) fn leaf(&self, dialect: Dialect) -> Option<&Leaf> {
        match (dialect, &self.native, &self.openai) {
            (Dialect::OpenAi, _, Some(leaf))
            | (Dialect::Anthropic, Some((Protocol::Messages, leaf)), _)
            | (Dialect::Gemini, Some((Protocol::Gemini, leaf)), _)
            | (Dialect::Cohere, Some((Protocol::Cohere, leaf)), _)
            | (Dialect::Ollama, Some((Protocol::Ollama, leaf)), _) => Some(leaf),
            (_, _, Some(leaf @ (Leaf::Echo | Leaf::Mock(_)))) => Some(leaf),
            (Dialect::Anthropic, ..) => self.polyglot.as_ref().map(|leaves| &leaves[0]),
            (Dialect::Gemini, ..) => self.polyglot.as_ref().map(|leaves| &leaves[1]),
            (Dialect::OpenAi | Dialect::Cohere | Dialect::Ollama, ..) => None,
        }
    }

    /// Where it takes chats in its own dialect.
    pub(super) fn chats(&self) -> Option<&Leaf> {
        self.native.as_ref().map(|(_, leaf)| leaf).or(self.openai.as_ref())
    }

    /// The dialect that its provider's chats with `model` are in.
    pub(super) fn protocol(&self, model: &str) -> Protocol {
        match &self.native {
            Some((protocol, _)) => {
                Protocol::of_model(self.config.provider, model).unwrap_or(*protocol)
            }
            None if self.config.responses => Protocol::Responses,
            None => Protocol::Chat,
        }
    }

    fn is_in_googles_cloud(&self) -> bool {
        self.config.provider.wire == Wire::Vertex
    }

    /// Where it takes an `operation` as it is, for its `model`.
    pub(super) fn leaf_for(&self, operation: &Operation, model: &str) -> Option<&Leaf> {
        match (operation, &self.rerank) {
            _ if self.native.is_some() && self.is_in_googles_cloud() => {
                self.chats().filter(|_| Place::of(model).takes(operation))
            }
            (Operation::Rerank, Some(leaves)) => Some(&leaves[0]),
            (Operation::RerankV1 | Operation::Cohere(CohereCall::EmbedV1), Some(leaves)) => {
                Some(&leaves[1])
            }
            _ => self.leaf(operation.dialect()),
        }
    }

    /// Whether it takes the bare model `name`. A catch-all that was made from a key in the
    /// environment takes what the catalogue says is its provider's; names that it does not know
    /// are those of a server that `OPENAI_BASE_URL` names.
    pub(super) fn serves(&self, name: &str) -> bool {
        let config = &self.config;
        let catch_all = config.discovered && config.group == "*";
        !catch_all
            || match data::provider_of_model(name) {
                Some(provider) => provider == config.provider.name,
                None => config.provider.name == "openai" && self.is_elsewhere(),
            }
    }

    /// Whether no known provider is at its address.
    fn is_elsewhere(&self) -> bool {
        let host = self.config.api_base.as_ref().and_then(http::Uri::host);
        host.is_some_and(|host| data::provider_of_host(host).is_none())
    }

    /// Its model as JSON text, its stars filled in for the name that was asked for.
    pub(super) fn model_json(&self, captures: Option<&[&str]>, name: &str) -> Bytes {
        match captures {
            Some(captures) => json_string(&self.config.spelled(&self.model(captures, name))),
            None => self.model_json.clone(),
        }
    }

    /// How its `model` is asked otherwise than OpenAI's.
    pub(super) fn quirks(&self, model: &str) -> Cow<'_, Quirks> {
        match model == self.config.model {
            true => Cow::Borrowed(&self.quirks),
            false => Cow::Owned(self.config.provider.quirks_of(self.like(model))),
        }
    }

    /// Its model, its stars filled in.
    pub(super) fn model(&self, captures: &[&str], name: &str) -> String {
        super::stars::filled(&self.config.model, captures, name)
    }
}

fn json_string(text: &str) -> Bytes {
    serde_json::Value::from(text).to_string().into()
}
