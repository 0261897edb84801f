//! How a deployment takes a call: in its client's dialect, translated into its own, or not at all,
//! where the proxy can tell.
use super::deployment::Deployment;
use super::leaf::Leaf;
use crate::data;
use crate::providers::translate::{Protocol, Translation};
use crate::providers::{Dialect, Operation};

/// Where a call goes, and in whose words.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way<'a> {
    /// Both sides speak the same.
    Straight(&'a Leaf),
    /// From one dialect to another.
    Translated(&'a Leaf, Translation),
    /// Tokens are counted: where the provider counts them, by it; else here.
    Counted(Option<(&'a Leaf, Protocol)>),
}

impl<'a> Way<'a> {
    /// Where it leads.
    pub(super) const fn leaf(self) -> Option<&'a Leaf> {
        match self {
            Self::Straight(leaf) | Self::Translated(leaf, _) => Some(leaf),
            Self::Counted(_) => None,
        }
    }

    /// Between which dialects, if between two.
    pub(super) const fn translation(self) -> Option<Translation> {
        match self {
            Self::Translated(_, translation) => Some(translation),
            _ => None,
        }
    }
}

impl Deployment {
    /// How it takes an `operation` for its `model`; `None` if it does not, whichever the model is.
    pub(super) fn way(&self, operation: &Operation, model: &str) -> Option<Way<'_>> {
        let Some(client) = Protocol::of(operation) else {
            let counted = || operation.counts_tokens().then(|| Way::Counted(self.counts(model)));
            if *operation == Operation::TokenCounter {
                return counted();
            }
            return self.leaf_for(operation, model).map(Way::Straight).or_else(counted);
        };
        let leaf = self.chats()?;
        if matches!(leaf, Leaf::Echo | Leaf::Mock(_)) {
            let translation = Translation::to_built_in(client);
            return Some(translation.map_or(Way::Straight(leaf), |it| Way::Translated(leaf, it)));
        }
        let provider = self.protocol(model);
        if client.is_embeddings() {
            return self.embeds((operation, model), Translation { client, provider });
        }
        let same = client == provider
            || (client, provider) == (Protocol::Generate, Protocol::Ollama)
            || provider == Protocol::Chat && self.has(client, model);
        let own = || match same {
            true => Some(leaf),
            false => self.leaf(operation.dialect()).filter(|_| self.config().provider.polyglot),
        };
        let translated = Way::Translated(leaf, Translation { client, provider });
        Some(own().map_or(translated, Way::Straight))
    }

    /// How it takes a call for embeddings. Providers that have none of their own have OpenAI's.
    fn embeds(
        &self,
        (operation, model): (&Operation, &str),
        translation: Translation,
    ) -> Option<Way<'_>> {
        let Translation { client, provider } = translation;
        let straight = match (provider, client.dialect()) {
            (Protocol::Cohere, Dialect::Cohere) | (Protocol::Ollama, Dialect::Ollama) => true,
            _ => client == Protocol::Embeddings && !provider.embeds(),
        };
        if straight {
            return self.leaf_for(operation, model).map(Way::Straight);
        }
        if provider.embeds() {
            return Some(Way::Translated(self.chats()?, translation));
        }
        let translation = Translation { client, provider: Protocol::Embeddings };
        Some(Way::Translated(self.leaf(Dialect::OpenAi)?, translation))
    }

    /// Where its provider counts tokens, and in whose words.
    fn counts(&self, model: &str) -> Option<(&Leaf, Protocol)> {
        let leaf = self.chats().filter(|leaf| matches!(leaf, Leaf::Upstream { .. }))?;
        Some((leaf, self.protocol(model))).filter(|(_, protocol)| protocol.counts_tokens())
    }

    /// Whether a provider that speaks OpenAI has this of OpenAI's besides chats.
    fn has(&self, client: Protocol, model: &str) -> bool {
        match client {
            Protocol::Completions => self.completes(model),
            Protocol::Responses => self.config().provider.responses,
            _ => false,
        }
    }

    /// Whether it completes text with this model. Most providers only chat. OpenAI has models for
    /// either; of a name that it does not know it is a server of one's own, which has both.
    fn completes(&self, model: &str) -> bool {
        let config = self.config();
        let told = config.info.get("mode").and_then(serde_json::Value::as_str);
        let known = || Some(self.catalogued_as(model).or_else(|| self.catalogued())?.mode);
        let provider = config.provider.name;
        match told.or_else(known) {
            Some("completion") => true,
            None | Some("") if provider == "openai" => true,
            _ => data::completes(provider),
        }
    }
}
